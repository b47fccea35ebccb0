import Basics
import Foundation
import TestKit
import Testing

@Suite("Recorded events with answers computed apart")
struct RecordedDataTests {
    private static let wiki = Golden.folder.appendingPathComponent("wiki")
    private static let testData = Environment.current["COHORTD_TEST_DATA"].map {
        URL(fileURLWithPath: $0)
    }

    @Test("Wikipedia's edits: the members at both instants")
    func wikiMembers() throws {
        try Self.checkMembers(
            "wiki",
            events: "wiki-edits-2015-09-12.jsonl.gz",
            in: Self.wiki,
            cohorts: Self.wiki.appendingPathComponent("cohorts.yaml"),
            count: 10
        )
    }

    @Test(
        "Wikipedia's edits: members, enters and exits minute by minute, hours after the last event too"
    )
    func wikiTicks() throws {
        let answers = try JSONDecoder().decode(
            TickAnswers.self,
            from: Golden.unzipped(Self.wiki.appendingPathComponent("oracle-wiki-ticks.json.gz"))
        )
        let folder = try TemporaryFolder()
        let events = try folder.write(
            "events.jsonl",
            Golden.unzipped(Self.wiki.appendingPathComponent("wiki-edits-2015-09-12.jsonl.gz"))
        )
        let instants = Set(answers.cohorts.values.flatMap { $0.rows.map(\.tick) }).sorted()
        let run = try ProgramRun(
            "cohortctl",
            [
                "replay", "--cohorts", Self.wiki.appendingPathComponent("cohorts.yaml").path,
                "--events",
                events.path, "--deltas", "-", "--at",
            ] + instants.map(String.init)
        )
        try #require(run.status == 0, "\(run.errors)")
        let deltas = try Self.deltas(run.outputText)
        var compared = 0
        for (cohort, answer) in answers.cohorts {
            guard let changes = deltas[cohort] else { continue }
            var members: Set<[UInt8]> = []
            for (position, row) in answer.rows.enumerated() {
                let change = changes[row.tick] ?? MembershipChange()
                members.formUnion(change.entered)
                members.subtract(change.exited)
                // Enters and exits that are right leave the right members; now and then they are hashed too.
                let isHashed = position % 100 == 0 || position == answer.rows.count - 1
                if let fault = row.fault(
                    members: isHashed ? Array(members) : nil,
                    count: members.count,
                    change
                ) {
                    Issue.record("\(cohort) at \(row.tick): \(fault)")
                    return
                }
            }
            compared += 1
        }
        #expect(compared == 4, "cohorts that are expressed and have rows")
    }

    @Test(
        "Taobao's funnel: the members at both instants",
        .enabled(if: testData != nil, "COHORTD_TEST_DATA names no folder")
    )
    func taobao() throws {
        let folder = try #require(Self.testData)
        try Self.checkMembers(
            "taobao",
            events: "taobao-funnel-2017-11.jsonl.gz",
            in: folder,
            cohorts: Golden.folder.appendingPathComponent("taobao-cohorts.yaml"),
            count: 8
        )
    }

    @Test(
        "CDNOW's purchases: the members at both instants",
        .enabled(if: testData != nil, "COHORTD_TEST_DATA names no folder")
    )
    func cdnow() throws {
        let folder = try #require(Self.testData)
        try Self.checkMembers(
            "cdnow",
            events: "cdnow-1997.jsonl.gz",
            in: folder,
            cohorts: Golden.folder.appendingPathComponent("cdnow-cohorts.yaml"),
            count: 6
        )
    }

    private static func checkMembers(
        _ name: String,
        events: String,
        in folder: URL,
        cohorts: URL,
        count: Int
    ) throws {
        let answers = try RecordedAnswers(name, in: folder)
        let scratch = try TemporaryFolder()
        let file = try scratch.write(
            "events.jsonl",
            Golden.unzipped(folder.appendingPathComponent(events))
        )
        let run = try ProgramRun(
            "cohortctl",
            [
                "replay", "--cohorts", cohorts.path, "--events", file.path, "--at",
                "\(answers.mid)",
                "\(answers.end)", "--members", "-", "--deltas",
                scratch.url.appendingPathComponent("deltas").path,
            ]
        )
        try #require(run.status == 0, "\(run.errors)")
        let deltas = try Self.deltas(scratch.text("deltas"))
        let lines = try MembersLine.read(run.outputText)
        #expect(lines.count == count)
        for line in lines {
            let expected = try answers.atEnd(line.cohort)
            #expect(
                line.users.map { Array($0.utf8) } == expected,
                "\(line.cohort) has \(line.count) members at the end, expected \(expected.count)"
            )
            // The first tick's deltas are the enters of everyone then in.
            let atMid = try answers.atMid(line.cohort)
            let entered = deltas[line.cohort]?[answers.mid]?.entered ?? []
            #expect(
                entered == atMid,
                "\(line.cohort) has \(entered.count) members in the middle, expected \(atMid.count)"
            )
        }
    }

    /// What changed, by cohort and tick, in the order of the output.
    private static func deltas(_ text: String) throws -> [String: [Int64: MembershipChange]] {
        var deltas: [String: [Int64: MembershipChange]] = [:]
        for line in text.split(separator: "\n") {
            let delta = try JSONDecoder().decode(DeltaLine.self, from: Data(line.utf8))
            let tick = try #require(EventTime(rfc3339: delta.tick)).milliseconds
            let user = Array(delta.user.utf8)
            if delta.op == "enter" {
                deltas[delta.cohort, default: [:]][tick, default: MembershipChange()].entered
                    .append(user)
            } else {
                deltas[delta.cohort, default: [:]][tick, default: MembershipChange()].exited.append(
                    user
                )
            }
        }
        return deltas
    }
}
