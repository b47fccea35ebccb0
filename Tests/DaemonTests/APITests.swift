import Foundation
import Testing

extension DaemonTests {
    @Suite("asked over HTTP")
    struct APITests {
        @Test(
            "health, readiness, metrics, status, cohorts and members agree with what the receiver was told"
        )
        func reads() async throws {
            let broker = try Broker()
            try await broker.createTopic(partitions: 4)
            let daemon = try DaemonUnderTest()
            let receiver = try Receiver()
            try daemon.configure(kafka: broker.address, properties: broker.properties)
            try daemon.webhook(url: receiver.url)
            try daemon.cohorts([
                ("viewers", "{performed: {event: view, last: 1h}}"),
                ("buyers", "{performed: {event: buy, last: 1h}}"),
            ])
            let publisher = try Publisher(broker.address)
            for number in 0..<307 {
                // Ids that need escapes in JSON and in a URL.
                try await publisher.event(number % 3 == 0 ? "buy" : "view", of: "ü/&\(number) +%")
            }
            try await publisher.flush()
            let program = try daemon.start()
            try await eventually("it listens") { try daemon.get("/healthz") != nil }
            #expect(try daemon.get("/healthz")?.status == 200)
            // Members of a daemon that is not ready would be wrong.
            if try daemon.readiness()?.ready == false {
                let status = try daemon.get("/v1/cohorts/viewers/members")?.status
                #expect(try status == 503 || daemon.readiness()?.ready == true)
            }
            try await daemon.ready()
            try await daemon.settled(at: wallClock())
            #expect(
                String(decoding: try #require(try daemon.get("/healthz")).body, as: UTF8.self)
                    == "ok"
            )

            let status = try #require(try daemon.status())
            #expect(status.users == 307)
            #expect(status.partitions.map(\.partition) == [0, 1, 2, 3])
            #expect(status.partitions.allSatisfy { $0.state == "live" && $0.lag == 0 })
            #expect(status.partitions.map(\.offset).reduce(0, +) == 307)
            #expect(status.partitions.allSatisfy { $0.offset > 0 })
            #expect(status.syncs.map(\.sync) == ["buyers-receiver", "viewers-receiver"])
            #expect(status.syncs.allSatisfy { $0.state == "live" })
            #expect(program.errors.contains("cohortd \(status.version) runs"))

            let told = receiver.deliveries.members()
            for (cohort, count) in [("viewers", 204), ("buyers", 103)] {
                let expected = try #require(told[cohort]).sorted {
                    Array($0.utf8).lexicographicallyPrecedes($1.utf8)
                }
                #expect(expected.count == count)
                for limit in [1, 10, 1000] where limit > 1 || count < 150 {
                    #expect(try daemon.members(of: cohort, limit: limit) == expected)
                }
                #expect(
                    try daemon.metric("cohortd_cohort_members{cohort=\"\(cohort)\"}")
                        == Double(count)
                )
                #expect(
                    try daemon.metric("cohortd_deltas_total{cohort=\"\(cohort)\",op=\"enter\"}")
                        == Double(count)
                )
            }

            struct Cohorts: Decodable {
                struct Cohort: Decodable {
                    struct Definition: Decodable {
                        var id: String
                    }
                    var id: String
                    var name: String
                    var state: String
                    var count: Int
                    var tick: String?
                    var definition: Definition
                }
                var cohorts: [Cohort]
            }
            let answer = try #require(try daemon.get("/v1/cohorts"))
            let cohorts = try JSONDecoder().decode(Cohorts.self, from: Data(answer.body)).cohorts
            #expect(cohorts.map(\.id) == ["buyers", "viewers"])
            #expect(cohorts.map(\.count) == [103, 204])
            #expect(cohorts.map(\.name) == ["The buyers", "The viewers"])
            #expect(cohorts.allSatisfy { $0.state == "live" && $0.definition.id == $0.id })

            #expect(try daemon.get("/v1/cohorts/nobody/members")?.status == 404)
            #expect(try daemon.get("/v1/cohorts/viewers/members?limit=0")?.status == 400)
            #expect(try daemon.get("/v1/status", headers: [("Host", "example.com")])?.status == 403)
            #expect(
                try daemon.get("/v1/status", headers: [("Origin", "http://example.com")])?.status
                    == 403
            )
            #expect(try daemon.get("/nothing")?.status == 404)

            // A broker that is lost makes it not ready, and nothing else.
            try broker.setDown(true)
            try await eventually("it says that Kafka is unreachable") {
                try daemon.readiness()?.reasons.contains("kafka unreachable") ?? false
            }
            #expect(try daemon.get("/healthz")?.status == 200)
            #expect(try daemon.members(of: "buyers").count == 103)
            try broker.setDown(false)
            try await daemon.ready()
            try await daemon.stop()
            try await broker.stop()
        }
    }
}
