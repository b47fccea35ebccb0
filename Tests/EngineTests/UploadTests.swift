import Basics
import Cohorts
import Events
import TestKit
import Testing

@testable import Engine

@Suite("Lists of uploaded users")
struct UploadTests {
    private struct Upload {
        var user: Int
        var cohort: String
        var isIn: Bool
        var time: Int64
    }

    private static func plan(_ cohorts: [String]) throws -> Plan {
        try OracleCase.plan(
            yaml: (cohorts.map { "id: \($0)\nusers: {uploaded: true}\n" }
                + ["id: others\nusers: {not: {uploaded: true}}\n"]).joined(separator: "---\n")
        )
    }

    /// Who is in the list of a cohort, read off all uploads; and who is known.
    private static func expected(_ uploads: [Upload], _ plan: Plan, at tick: Int64) -> [[String]] {
        let seen = uploads.enumerated().filter { $0.element.time <= tick }
            .sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }
            .map(\.element)
        return plan.cohorts.map { cohort in
            (0..<5).filter { user in
                let own = seen.filter { $0.user == user }
                let isIn = own.last { $0.cohort == cohort.id }?.isIn ?? false
                return cohort.id == "others" ? !own.isEmpty && !isIn : isIn
            }.map { "u\($0)" }
        }
    }

    private static func apply(_ upload: Upload, to shard: inout Shard, isHistory: Bool) {
        let cohort = shard.uploadLists.first { shard.plan.cohorts[$0].id == upload.cohort }
        let time = EventTime(milliseconds: upload.time)
        "u\(upload.user)".withByteView { (id: ByteView) -> Void in
            if !isHistory {
                shard.upload(id, cohort: cohort, isIn: upload.isIn, at: time)
            } else if let cohort {
                shard.reupload(id, cohort: cohort, isIn: upload.isIn, at: time)
            }
        }
    }

    @Test(
        "Members are those of the plain reading across restarts, and a new list is filled from history while new uploads come"
    )
    func plainReading() throws {
        var filled = 0
        let seeds = Seeds(200, from: 11_000_000)
        for seed in seeds {
            var generator = SeededGenerator(seed: seed)
            var cohorts = ["a", "b"]
            var plan = try Self.plan(cohorts)
            var shard = Shard(plan: plan, settings: ShardSettings())
            var uploads: [Upload] = []
            var now: Int64 = 10_000
            for step in 0..<25 {
                var isRebuilding = false
                var cut = 0
                if generator.chance(percent: 25) {
                    // Definitions come and go.
                    cohorts = ["a", "b", "c"].filter { _ in generator.chance(percent: 70) }
                    plan = try Self.plan(cohorts)
                    let report = try shard.restart(plan, ShardSettings(), from: shard.stored())
                    #expect(!report.missingTraces.needsEvents)
                    if !report.missingTraces.isEmpty {
                        #expect(report.mustRewrite)
                        isRebuilding = true
                        cut = uploads.count
                        shard.beginRebuild(of: report.missingTraces)
                        for upload in uploads[..<cut] {
                            Self.apply(upload, to: &shard, isHistory: true)
                        }
                        filled += 1
                    }
                }
                for _ in 0..<generator.below(5) {
                    let upload = Upload(
                        user: generator.below(5),
                        cohort: generator.pick(["a", "b", "c"]),
                        isIn: generator.chance(percent: 65),
                        time: now + Int64(generator.number(in: -50...30))
                    )
                    uploads.append(upload)
                    Self.apply(upload, to: &shard, isHistory: false)
                }
                if isRebuilding { shard.finishRebuild() }
                now += 10 * Int64(generator.number(in: 1...4))
                var deltas: [Delta] = []
                shard.tick(EventTime(milliseconds: now), deltas: &deltas)
                shard.raiseFloor(to: EventTime(milliseconds: now + 10))
                let found = shard.members()
                let expected = Self.expected(uploads, plan, at: now)
                if found != expected {
                    Issue.record(
                        """
                        step \(step), tick \(now): \(found), expected \(expected) of \(cohorts)
                        \(Seeds.command(seed, "UploadTests/plainReading"))
                        \(uploads.map { "\($0)" }.joined(separator: "\n"))
                        """
                    )
                    return
                }
            }
        }
        #expect(filled > 50 || !seeds.isFull, "only \(filled) lists were filled")
    }
}
