import Basics
import Cohorts
import Events
import TestKit
import Testing

@testable import Engine

/// `identify: next_event`, against a plain reading of what the page says.
@Suite("Identifies that wait for the next event")
struct IdentifyTests {
    /// One line and what it does to the property `k`.
    private struct Line {
        enum Effect {
            case none
            case set(Int)
            case unset
            case setOnce(Int)
        }

        var user: Int
        var time: Int64
        var isIdentify: Bool
        var effect: Effect
        var clearsAll = false

        var json: String {
            let properties =
                switch effect {
                case .none: clearsAll ? #"{"$clearAll":true}"# : "{}"
                case .set(let value): #"{"k":\#(value)}"#
                case .unset: #"{"$unset":{"k":true}}"#
                case .setOnce(let value): #"{"$setOnce":{"k":\#(value)}}"#
                }
            return #"{"user_id":"u\#(user)","event_type":"\#(isIdentify ? "$identify" : "e")","#
                + #""time":\#(time),"user_properties":\#(properties)}"#
        }

        init(_ generator: inout SeededGenerator, around now: Int64) {
            user = generator.below(3)
            time = now + Int64(generator.number(in: -60...40))
            isIdentify = generator.chance(percent: 50)
            switch generator.below(isIdentify ? 5 : 12) {
            case 0...1: effect = .set(generator.below(3))
            case 2: effect = .unset
            case 3: effect = .setOnce(generator.below(3))
            case 4:
                effect = .none
                clearsAll = true
            default: effect = .none
            }
        }
    }

    private static let values = 0..<3
    private static let yaml =
        values.map { "id: now-\($0)\nusers: {property: {k: \($0)}}\n---\n" }.joined()
        + values.map {
            "id: then-\($0)\nusers: {had_property: {k: \($0), mode: most_recent, last: 1s}}\n"
        }.joined(separator: "---\n")

    private static func settings(waits: Bool) -> ShardSettings {
        var settings = ShardSettings()
        settings.identifyWaits = waits
        return settings
    }

    /// Who is in `now-0` … `then-2` at a tick, read off all lines.
    private static func expected(_ lines: [Line], at tick: Int64, waits: Bool) -> [[String]] {
        var members = [[String]](repeating: [], count: 2 * values.count)
        for user in 0..<3 {
            let own = lines.filter { $0.user == user && $0.time <= tick }
            let current = value(own, at: tick, waits: waits)
            if let current { members[current].append("u\(user)") }
            if let event = own.filter({ !$0.isIdentify }).map(\.time).max(), event > tick - 1000,
                let then = value(own, at: event, waits: waits)
            {
                members[values.count + then].append("u\(user)")
            }
        }
        return members
    }

    /// What everyone who is known has of `k`.
    private static func cells(
        _ lines: [Line],
        at tick: Int64,
        waits: Bool
    ) -> [[UInt8]: [OracleCell]] {
        var cells: [[UInt8]: [OracleCell]] = [:]
        for user in 0..<3 {
            let own = lines.filter { $0.user == user && $0.time <= tick }
            if own.isEmpty { continue }
            let value = value(own, at: tick, waits: waits)
            let text = Array((value.map { "\($0)" } ?? "").utf8)
            cells[Array("u\(user)".utf8)] = [
                OracleCell(kind: value == nil ? "absent" : "number", text: text)
            ]
        }
        return cells
    }

    private static func value(_ lines: [Line], at tick: Int64, waits: Bool) -> Int? {
        let events = lines.filter { !$0.isIdentify }.map(\.time)
        let seen = lines.enumerated()
            .filter { _, line in
                line.time <= tick
                    && (!waits || !line.isIdentify
                        || events.contains { line.time <= $0 && $0 <= tick })
            }
            .sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }
        var value: Int?
        var once: Int?
        for (_, line) in seen {
            if line.clearsAll {
                value = nil
                once = nil
            }
            switch line.effect {
            case .none: break
            case .set(let new):
                value = new
                once = nil
            case .unset:
                value = nil
                once = nil
            case .setOnce(let new): once = once ?? new
            }
        }
        return value ?? once
    }

    /// Applies lines of JSON.
    private static func apply(
        _ lines: ArraySlice<Line>,
        to shard: inout Shard,
        _ decoder: inout EventDecoder,
        isHistory: Bool = false
    ) {
        for line in lines { shard.apply(line.json, &decoder, isHistory: isHistory) }
    }

    /// Puts in the place of a shard one that was made from its stored state.
    private static func restart(_ shard: inout Shard, waits: Bool) throws -> RestoreReport {
        try shard.restart(shard.plan, settings(waits: waits), from: shard.stored())
    }

    private static func tick(
        _ shard: inout Shard,
        _ instant: Int64,
        reader: inout ValueReader
    ) -> [[String]] {
        var deltas: [Delta] = []
        shard.tick(EventTime(milliseconds: instant), deltas: &deltas)
        reader.take(shard, deltas)
        shard.raiseFloor(to: EventTime(milliseconds: instant + 10))
        return shard.members()
    }

    @Test(
        "At every tick, across restarts and a change of the rule, values are those of the plain reading"
    )
    func plainReading() throws {
        // Who is in `known` is so from the first line on; its values are read off what ticks report.
        var planSettings = PlanSettings()
        planSettings.syncedProperties = ["zz-known": ["k"]]
        let plan = try OracleCase.plan(
            yaml: Self.yaml + "---\nid: zz-known\nusers: {not: {property: {k: 99}}}\n",
            planSettings
        )
        var waiting = 0
        let seeds = Seeds(400, from: 9_000_000)
        for seed in seeds {
            var generator = SeededGenerator(seed: seed)
            var waits = generator.chance(percent: 80)
            var shard = Shard(plan: plan, settings: Self.settings(waits: waits))
            var decoder = EventDecoder(plan)
            var reader = ValueReader()
            var lines: [Line] = []
            var now: Int64 = 100_000
            for step in 0..<30 {
                let first = lines.count
                for _ in 0..<generator.below(6) { lines.append(Line(&generator, around: now)) }
                Self.apply(lines[first...], to: &shard, &decoder)
                if generator.chance(percent: 20) {
                    if generator.chance(percent: 30) { waits.toggle() }
                    let changed = shard.settings.identifyWaits != waits
                    let report = try Self.restart(&shard, waits: waits)
                    reader.restart()
                    #expect(report.missingTraces.properties == changed, "seed \(seed)")
                    #expect(report.mustRewrite == changed, "seed \(seed)")
                    if changed {
                        shard.beginRebuild(of: report.missingTraces)
                        Self.apply(lines[...], to: &shard, &decoder, isHistory: true)
                        shard.finishRebuild()
                    }
                }
                now += Int64(generator.number(in: 10...50)) / 10 * 10
                let found = Self.tick(&shard, now, reader: &reader)
                let expected = Self.expected(lines, at: now, waits: waits)
                let values = Self.cells(lines, at: now, waits: waits)
                if Array(found.dropLast()) != expected || reader.values.last != values {
                    Issue.record(
                        """
                        step \(step), tick \(now), waits \(waits): \(found), expected \(expected)
                        values \(reader.values.last ?? [:]), expected \(values)
                        \(Seeds.command(seed, "IdentifyTests/plainReading"))
                        \(lines.map(\.json).joined(separator: "\n"))
                        """
                    )
                    return
                }
                if expected != Self.expected(lines, at: now, waits: !waits) { waiting += 1 }
            }
        }
        #expect(waiting > 1000 || !seeds.isFull, "only \(waiting) ticks depend on the rule")
    }

    @Test("An operation on what waits for an event waits with it; on what an event set it does not")
    func operations() throws {
        let plan = try OracleCase.plan(yaml: "id: three\nusers: {property: {k: 3}}\n")
        var decoder = EventDecoder(plan)
        func members(_ lines: [String]) -> [[String]] {
            var shard = Shard(plan: plan, settings: Self.settings(waits: true))
            for json in lines { shard.apply(json, &decoder) }
            var reader = ValueReader()
            return Self.tick(&shard, 100, reader: &reader)
        }
        func line(_ type: String, _ time: Int, _ properties: String = "{}") -> String {
            #"{"user_id":"u","event_type":"\#(type)","time":\#(time),"user_properties":\#(properties)}"#
        }
        let add = #"{"$add":{"k":1}}"#
        #expect(members([line("e", 10, #"{"k":2}"#), line("$identify", 20, add)]) == [[]])
        #expect(members([line("$identify", 20, #"{"k":2}"#), line("e", 20, add)]) == [["u"]])
        // The result stands at 20, with what it read, and so it waits.
        let late = [line("$identify", 20, #"{"k":2}"#), line("e", 10, add)]
        #expect(members(late) == [[]])
        #expect(members(late + [line("e", 21)]) == [["u"]])
    }
}
