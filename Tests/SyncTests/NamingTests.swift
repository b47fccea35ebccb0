import Basics
import Configuration
import Templates
import Testing

@testable import Sync

@Suite("Names of users")
struct NamingTests {
    /// A sync that calls users by their first property.
    private func byProperty() -> PlannerHarness {
        PlannerHarness([.test().with { $0.naming = UserNaming(choices: [.cell(0)]) }])
    }

    @Test(
        "id-changed-before-remove: the name that was sent leaves, whatever the user is called now"
    )
    func idChanged() throws {
        let harness = byProperty()
        harness.reset([("1", ["old@x"])], offset: 1, tick: 1)
        #expect(harness.drain().map(\.text) == ["+old@x"])
        harness.tick("1", .updated, ["new@x"], offset: 2, tick: 2)
        #expect(harness.drain().map(\.text) == ["-old@x", "+new@x"])
        // Changed while nobody looked, and gone before anything was sent.
        try harness.restart()
        harness.reset([("1", ["newer@x"])], offset: 3, tick: 3)
        harness.tick("1", .left, offset: 4, tick: 4)
        #expect(harness.drain().map(\.text) == ["-new@x"])
        _ = harness.advance()
        #expect(harness.planner.machines[0].ledger.count == 0)
    }

    @Test("shared-id refcount: the name stays until the last who has it leaves", arguments: [0, 1])
    func sharedName(second: Int) throws {
        let harness = byProperty()
        harness.reset([("1", ["we@x"])], partition: 0, offset: 1, tick: 1)
        let partition = PartitionID(second)
        if second == 1 { harness.reset([], partition: 1, offset: 1, tick: 1) }
        harness.tick("2", .entered, ["we@x"], partition: partition, offset: 2, tick: 2)
        harness.tick("3", .entered, ["we@x"], partition: partition, offset: 3, tick: 3)
        if second == 1 { harness.tick([], partition: 0, offset: 2, tick: 3) }
        #expect(harness.drain().map(\.text) == ["+we@x"])
        harness.tick("2", .left, partition: partition, offset: 4, tick: 4)
        harness.tick("1", .left, partition: 0, offset: 4, tick: 4)
        #expect(harness.drain().isEmpty)
        harness.tick("3", .updated, ["me@x"], partition: partition, offset: 5, tick: 5)
        #expect(Set(harness.drain().map(\.text)) == ["-we@x", "+me@x"])
    }

    @Test("Who shares a name is counted again at a membership after a start")
    func sharedOverRestart() throws {
        let harness = byProperty()
        harness.reset([("1", ["we@x"]), ("2", ["we@x"])], offset: 1, tick: 1)
        _ = harness.drain()
        for _ in 0..<2 {
            try harness.restart()
            harness.reset([("1", ["we@x"]), ("2", ["we@x"])], offset: 2, tick: 2)
            #expect(harness.drain().isEmpty)
        }
        harness.reset([("2", ["we@x"])], offset: 3, tick: 3)
        #expect(harness.drain().isEmpty)
        harness.tick("2", .left, offset: 4, tick: 4)
        #expect(harness.drain().map(\.text) == ["-we@x"])
    }

    @Test("The first choice that is not empty is the name")
    func choices() throws {
        let harness = PlannerHarness([
            .test().with { $0.naming = UserNaming(choices: [.cell(1), .cell(0), .userID]) }
        ])
        harness.reset(
            [("1", ["a", "b"]), ("2", ["c", ""]), ("3", ["", ""])],
            offset: 1,
            tick: 1
        )
        #expect(harness.drain().map(\.text) == ["+3,b,c"])
    }

    @Test("Who cannot be named is counted, and sent when an update gives a name")
    func unnamed() throws {
        let harness = byProperty()
        harness.reset([("1", [""]), ("2", ["b@x"])], offset: 1, tick: 1)
        #expect(harness.drain().map(\.text) == ["+b@x"])
        #expect(harness.status().skippedUsers == 1)
        #expect(harness.status().state == .initial || harness.status().state == .live)
        harness.tick("1", .updated, ["a@x"], offset: 2, tick: 2)
        #expect(harness.drain().map(\.text) == ["+a@x"])
        #expect(harness.status().skippedUsers == 0)
        // And back again.
        harness.tick("1", .updated, [""], offset: 3, tick: 3)
        #expect(harness.drain().map(\.text) == ["-a@x"])
        #expect(harness.status().skippedUsers == 1)
        harness.tick("1", .left, offset: 4, tick: 4)
        #expect(harness.drain().isEmpty)
        #expect(harness.status().skippedUsers == 0)
        #expect(harness.planner.users.count == 2)
    }

    @Test("An update that leaves the name as it was sends nothing")
    func sameName() throws {
        let harness = byProperty()
        harness.reset([("1", ["a@x"])], offset: 1, tick: 1)
        _ = harness.drain()
        harness.tick("1", .updated, ["a@x"], offset: 2, tick: 2)
        #expect(harness.drain().isEmpty)
        // A sync that calls users by their ids does not look.
        let byID = PlannerHarness()
        byID.reset(["1"], offset: 1, tick: 1)
        _ = byID.drain()
        byID.tick("1", .updated, ["x"], offset: 2, tick: 2)
        #expect(byID.drain().isEmpty)
    }

    @Test("Properties are sent along as they are when the batch is made, and again the same")
    func properties() throws {
        let naming = UserNaming(
            choices: [.userID],
            properties: [.init(name: "plan", cell: 0), .init(name: "city", cell: 1)]
        )
        let harness = PlannerHarness([.test().with { $0.naming = naming }])
        harness.reset([("1", ["pro", "Köln"]), ("2", ["", ""])], offset: 1, tick: 1)
        let request = try harness.request()
        #expect(request.properties.texts == [#"{"plan":"pro","city":"Köln"}"#, "{}"])
        harness.complete(request, .timeout)
        harness.tick("1", .updated, ["free", ""], offset: 2, tick: 2)
        #expect(try harness.request(by: 1000) == request)
        try harness.restart()
        harness.reset([("1", ["free", ""]), ("2", ["", ""])], offset: 3, tick: 3)
        #expect(try harness.request() == request)
        harness.complete(request, .delivered)
        harness.tick("1", .left, offset: 4, tick: 4)
        harness.now += 2 * PlannerHarness.timeout
        #expect(harness.drain().map(\.properties.texts) == [[#"{"plan":"free"}"#]])
    }

    @Test("A device's user is called by the device where the template says so")
    func templateRows() throws {
        let harness = PlannerHarness([.test().with { $0.naming = try! Self.templateNaming() }])
        harness.reset(
            [("1", ["A@x "]), ("2", ["a@X"]), ("device:d", [""]), ("3", [""])],
            offset: 1,
            tick: 1
        )
        let request = try harness.request()
        var rows: [[String]] = []
        request.users.forEach { row in
            rows.append((0..<2).map { MappedRow.cell($0, of: row).string })
        }
        // Two users are one row, and who has neither is left out.
        #expect(Set(rows) == [["a@x", ""], ["", "d"]])
        #expect(harness.status().skippedUsers == 1)
        harness.complete(request, .delivered)
        harness.tick("1", .left, offset: 2, tick: 2)
        #expect(harness.drain().isEmpty)
        harness.tick("2", .left, offset: 3, tick: 3)
        #expect(harness.drain().map(\.exitCount) == [1])
    }

    @Test("Rows are kept over a restart, and apart from ids of other syncs")
    func rowsOverRestart() throws {
        let naming = try Self.templateNaming()
        let harness = PlannerHarness([
            .test().with { $0.naming = naming }, .test(id: "t", destination: "e"),
        ])
        harness.reset([("1", ["a@x"])], offset: 1, tick: 1)
        _ = harness.drain()
        #expect(harness.planner.rows.count == 1)
        try harness.restart()
        harness.reset([("1", ["a@x"])], offset: 2, tick: 2)
        #expect(harness.drain().isEmpty)
        try harness.rewriteAndRestart()
        harness.reset([("1", ["b@x"])], offset: 3, tick: 3)
        #expect(harness.drain().map(\.syncID) == ["s", "s"])
        // The same destination that takes ids now is another one.
        harness.syncs[0].naming = UserNaming()
        try harness.restart()
        harness.reset([("1", ["b@x"])], offset: 4, tick: 4)
        #expect(harness.drain().map(\.text) == ["+1"])
        #expect(harness.notes.count == 1)
    }

    /// By e-mail address, or else by device.
    private static func templateNaming() throws -> UserNaming {
        let yaml = """
            template: t
            model: property
            base_url: 'https://api.example.com'
            identity: {pick: first, keys: [{name: email, from: props.email, normalise: [trim, lower]}, {name: device, from: device_id}]}
            members: {change: {method: POST, path: /u, body: {users: {$each: changes, item: '${u.email}'}}}}
            batch: {max_items: 10, mix: true}
            responses: [{when: {status: [200-599]}, then: delivered}]
            """
        let reading = Template.read([ConfigurationFile(name: "t.yaml", bytes: Array(yaml.utf8))])
        #expect(reading.problems.map(\.description) == [])
        let template = try #require(reading.value.first)
        let mapper = try IdentityMapper(template.identity) { text, bytes in
            bytes.append(contentsOf: text.utf8)
        }
        return UserNaming(choices: [.userID], mapper: mapper) { _ in 0 }
    }
}
