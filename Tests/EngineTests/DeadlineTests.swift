import Basics
import Testing
import TestKit

@testable import Engine

/// What the deadline queue promises: an entry of a user is a lower bound of the first change by the clock
/// alone, and it follows from the stored state.
@Suite("Deadlines")
struct DeadlineTests {
    @Test(
        "Everyone whose truth the clock may change has an entry that is not later, after every tick"
    )
    func liveEntries() throws {
        for seed in Seeds(1000, from: 6_000_000) {
            let history = OracleCase(seed: seed)
            var wrong: [String] = []
            _ = try history.replay { shard, tick in
                let queued = shard.queuedDeadlines
                for user in shard.deadlines(at: tick) {
                    if user.live > user.derived {
                        wrong.append("\(user.id) is due at \(user.live), not \(user.derived)")
                    }
                    if user.live <= tick { wrong.append("\(user.id) is overdue at \(tick)") }
                    if user.live < .distantFuture, !queued.contains(user.entry) {
                        wrong.append("\(user.id) has no entry at \(user.live)")
                    }
                }
            }
            if !wrong.isEmpty {
                Issue.record(
                    """
                    \(wrong)
                    \(Seeds.command(seed, "DeadlineTests/liveEntries"))
                    \(history.description)
                    """
                )
                return
            }
        }
    }

    @Test("Deadlines made anew from stored state are exact, and the live ones are no later")
    func rebuiltEntries() throws {
        for seed in Seeds(500, from: 7_000_000) {
            let history = OracleCase(seed: seed)
            let oracle = history.expected().oracle
            let plan = try history.plan()
            var live = ShardDriver(history, plan)
            var rebuilt = ShardDriver(history, plan)
            var wrong: [String] = []
            for step in ShardDriver.steps(history, oracle) {
                if case .tick = step {
                    var records: [StoredRecord] = []
                    rebuilt.encode(all: true, into: &records)
                    _ = try rebuilt.restart(history, plan, from: records)
                }
                _ = live.take(step)
                _ = rebuilt.take(step)
                guard case .tick(let instant) = step else { continue }
                let tick = EventTime(milliseconds: instant)
                let users = zip(
                    live.shard.deadlines(at: tick),
                    rebuilt.shard.deadlines(at: tick)
                )
                for (one, other) in users {
                    if one.derived != other.derived || other.live != other.derived
                        || one.live > other.live
                    {
                        wrong.append("at \(tick): live \(one), rebuilt \(other)")
                    }
                }
            }
            if !wrong.isEmpty {
                Issue.record(
                    """
                    \(wrong)
                    \(Seeds.command(seed, "DeadlineTests/rebuiltEntries"))
                    \(history.description)
                    """
                )
                return
            }
        }
    }
}

/// A user's deadline as it stands and as it follows from the user's state.
private struct UserDeadline {
    var slot: UserSlot
    var id: String
    var live: EventTime
    var derived: EventTime

    var entry: DeadlineEntry { DeadlineEntry(instant: live, slot: slot) }
}

/// An entry of the queue.
private struct DeadlineEntry: Hashable {
    var instant: EventTime
    var slot: UserSlot
}

extension Shard {
    /// All entries of the queue, those that were replaced too.
    fileprivate var queuedDeadlines: Set<DeadlineEntry> {
        var queue = deadlines
        var entries: Set<DeadlineEntry> = []
        while let entry = queue.popDue(at: .distantFuture) {
            entries.insert(DeadlineEntry(instant: entry.instant, slot: entry.slot))
        }
        return entries
    }

    /// Of every user, sorted by slot, what stands in the record and what an evaluation gives.
    fileprivate func deadlines(at tick: EventTime) -> [UserDeadline] {
        var evaluator = evaluator
        evaluator.prepare(tick)
        var found: [UserDeadline] = []
        for slot in 0..<UserSlot(users.count) {
            let record = records[Int(slot)]
            var derived = record.knownSince
            if record.knownSince <= tick {
                derived = evaluator.evaluate(
                    record,
                    slot: slot,
                    at: tick,
                    traceLists: traceLists,
                    recordLists: recordLists,
                    propertyLists: propertyLists,
                    uploads: uploads
                )
            }
            found.append(
                UserDeadline(
                    slot: slot,
                    id: users[slot].string,
                    live: record.scheduled,
                    derived: derived
                )
            )
        }
        return found
    }
}
