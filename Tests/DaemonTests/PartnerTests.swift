import Foundation
import Testing

extension DaemonTests {
    @Suite("with a partner's template")
    struct PartnerTests {
        private func email(_ number: Int) -> String { "user-\(number)@example.com" }

        private func emails(_ range: Range<Int>) -> Set<String> { Set(range.map(email)) }

        private func publish(
            _ range: Range<Int>,
            _ publisher: Publisher,
            event: String = "view"
        ) async throws {
            for number in range {
                try await publisher.event(
                    event,
                    of: "user-\(number)",
                    userProperties: #"{"email":"User-\#(number)@Example.com "}"#
                )
            }
            try await publisher.flush()
        }

        @Test(
            "its list is made once and ends as the cohort's e-mails, over changed e-mails and a kill"
        )
        func list() async throws {
            let broker = try Broker()
            try await broker.createTopic(partitions: 4)
            let shop = try Shop(key: "key-of-the-shop")
            let daemon = try DaemonUnderTest.telling(
                shop,
                key: "key-of-the-shop\n",
                of: DaemonUnderTest.guests,
                through: broker
            )
            let publisher = try Publisher(broker.address)
            try await publish(0..<30, publisher)
            try await publisher.event("view", of: "user-30")
            try await publisher.flush()
            try await daemon.startReady()
            try await eventually("everyone with an e-mail is on the list") {
                shop.members == emails(0..<30)
            }
            try await daemon.settled(at: wallClock())
            #expect(try daemon.sync("guests-shop")?.skipped == 1)

            // Another e-mail, a first one, and one who leaves.
            try await publisher.event(
                "view",
                of: "user-3",
                userProperties: #"{"email":"third@example.com"}"#
            )
            try await publish(30..<31, publisher)
            try await publish(4..<5, publisher, event: "leave")
            var expected = emails(0..<31).subtracting([email(3), email(4)])
            expected.insert("third@example.com")
            try await eventually("the list follows; \(shop.members.symmetricDifference(expected))")
            { shop.members == expected }
            try await daemon.settled(at: wallClock())
            #expect(try daemon.sync("guests-shop")?.skipped == 0)
            let early = shop.additions

            try await #require(daemon.program).killHard()
            try await publish(31..<35, publisher)
            try await publish(5..<6, publisher, event: "leave")
            try await publisher.event(
                "view",
                of: "user-6",
                userProperties: #"{"email":"sixth@example.com"}"#
            )
            try await publisher.flush()
            try await daemon.startReady()
            expected.formUnion(emails(31..<35).union(["sixth@example.com"]))
            expected.subtract([email(5), email(6)])
            try await eventually("the list follows; \(shop.members.symmetricDifference(expected))")
            { shop.members == expected }
            try await daemon.settled(at: wallClock())

            #expect(shop.lists == ["list-1": expected])
            #expect(shop.requests.filter { $0.line == "POST /v1/lists" }.count == 1)
            #expect(shop.problems == [])
            #expect(early.values.allSatisfy { $0 == 1 }, "\(early)")
            // Only what was under way last may come again after a kill.
            let again = shop.additions.filter { $0.value > 1 }
            #expect(Set(again.keys).isSubset(of: ["third@example.com", email(30)]), "\(again)")
            #expect(again.values.allSatisfy { $0 == 2 })
            #expect(try daemon.sync("guests-shop")?.acknowledged == expected.count)
            try await daemon.stop()
            try await broker.stop()
        }

        @Test("a sync of another id makes a list of its own, and the old one's is emptied")
        func renamed() async throws {
            let broker = try Broker()
            try await broker.createTopic(partitions: 1)
            let shop = try Shop(key: "key-of-the-shop")
            let daemon = try DaemonUnderTest.telling(
                shop,
                key: "key-of-the-shop\n",
                of: DaemonUnderTest.guests,
                through: broker
            )
            let publisher = try Publisher(broker.address)
            try await publish(0..<5, publisher)
            try await daemon.startReady()
            try await eventually("everyone is on the list") { shop.members == emails(0..<5) }
            try await daemon.settled(at: wallClock())

            try daemon.write(
                "syncs/all.yaml",
                "id: new\nitem: {cohort: guests}\ndestination: shop\n"
            )
            try await daemon.reload(until: "is no longer configured: its 5 users are taken out")
            let lists = ["list-1": [], "list-2": emails(0..<5)]
            try await eventually("one list is empty, the other full: \(shop.lists)", within: 90) {
                shop.lists == lists
            }
            #expect(shop.problems == [])
            try await daemon.stop()
            try await broker.stop()
        }
    }
}
