import Basics
import Cohorts
import Events
import TestKit
import Testing

@testable import Engine

/// Sequences of events that come late and ahead, against every pair and triple there is.
@Suite("Sequences")
struct SequenceTests {
    private struct Happening {
        var user: Int
        var time: Int64
        var type: Character

        var json: String {
            #"{"user_id":"u\#(user)","event_type":"\#(type)","time":\#(time)}"#
        }
    }

    /// A sequence and the window it is asked in, in milliseconds.
    private struct Asked {
        var steps: String
        var last: Int64 = 100_000
        var offset: Int64 = 0
        var within = Int64.max

        var clause: String {
            let list = steps.map { "{event: \($0)}" }.joined(separator: ", ")
            return "{sequence: {steps: [\(list)], last: \(last / 1000)s"
                + (offset > 0 ? ", offset: \(offset / 1000)s" : "")
                + (within < .max ? ", within: \(within / 1000)s" : "") + "}}"
        }

        /// Whether some events of a user are a chain inside the window.
        func holds(_ events: [Happening], at tick: Int64) -> Bool {
            let end = tick - offset
            let inside = events.filter { $0.time > end - last && $0.time <= end }
            func chains(_ left: Substring, after time: Int64, began: Int64?) -> Bool {
                guard let step = left.first else { return true }
                return inside.contains { event in
                    let start = began ?? event.time
                    return event.type == step && event.time > time && event.time - start <= within
                        && chains(left.dropFirst(), after: event.time, began: start)
                }
            }
            return chains(steps[...], after: .min, began: nil)
        }
    }

    private static let asked = [
        Asked(steps: "ab"), Asked(steps: "ab", offset: 50_000), Asked(steps: "ab", within: 20_000),
        Asked(steps: "aba"), Asked(steps: "cb"), Asked(steps: "bac", last: 200_000),
    ]

    /// The sequences, and counts that look back further, so that nobody waits for what leaves their windows.
    private static var yaml: String {
        let sequences = asked.enumerated().map { "id: s\($0)\nusers: \($1.clause)\n---\n" }.joined()
        return sequences + "id: z\nusers: {performed: {event: [a, b, c], last: 1h}}\n---\n"
            + ["a", "b", "c"].map { "id: z\($0)\nusers: {performed: {event: \($0), last: 1h}}\n" }
            .joined(separator: "---\n")
    }

    @Test("At every tick, across restarts, who is in are those of whom there is a chain")
    func everyChain() throws {
        let plan = try OracleCase.plan(yaml: Self.yaml)
        var held = 0
        let seeds = Seeds(200, from: 9_100_000)
        for seed in seeds {
            var generator = SeededGenerator(seed: seed)
            var shard = Shard(plan: plan, settings: ShardSettings())
            var decoder = EventDecoder(plan)
            var events: [Happening] = []
            var now: Int64 = 1_000_000
            for step in 0..<30 {
                for _ in 0..<generator.below(4) {
                    let event = Happening(
                        user: generator.below(3),
                        time: now + Int64(generator.number(in: -60...40)) * 1000,
                        type: generator.pick(["a", "b", "b", "c"])
                    )
                    events.append(event)
                    shard.apply(event.json, &decoder)
                }
                if generator.chance(percent: 10) {
                    _ = try shard.restart(plan, ShardSettings(), from: shard.stored())
                }
                now += Int64(generator.number(in: 1...50)) * 1000
                var deltas: [Delta] = []
                shard.tick(EventTime(milliseconds: now), deltas: &deltas)
                for (found, asked) in zip(shard.members(), Self.asked) {
                    let expected = (0..<3).filter { user in
                        asked.holds(events.filter { $0.user == user }, at: now)
                    }
                    held += expected.count
                    if found == expected.map({ "u\($0)" }) { continue }
                    Issue.record(
                        """
                        step \(step), tick \(now), \(asked.clause): \(found), expected \(expected)
                        \(Seeds.command(seed, "SequenceTests/everyChain"))
                        \(events.map(\.json).joined(separator: "\n"))
                        """
                    )
                    return
                }
            }
        }
        #expect(held > 5000 || !seeds.isFull, "only \(held) chains")
    }
}
