import Basics
import Testing
import TestKit

@testable import Engine

/// What the wheel of deadlines promises: an entry of a user is a lower bound of the first change by the clock
/// alone, and stays one over a restart.
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
                    if user.live > max(user.change, tick + 1) {
                        wrong.append("\(user.id) is due at \(user.live), not \(user.change)")
                    }
                    // Deadlines are rounded down, but not to where everyone was looked at.
                    if user.live + 32 <= tick { wrong.append("\(user.id) is overdue at \(tick)") }
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

    @Test("Deadlines that were stored are no later than the change either, and have their entries")
    func restoredEntries() throws {
        for seed in Seeds(500, from: 7_000_000) {
            let history = OracleCase(seed: seed)
            let oracle = history.expected().oracle
            let plan = try history.plan()
            var live = ShardDriver(history, plan)
            var restored = ShardDriver(history, plan)
            var wrong: [String] = []
            for step in ShardDriver.steps(history, oracle) {
                if case .tick = step {
                    var records: [StoredRecord] = []
                    restored.encode(all: true, into: &records)
                    _ = try restored.restart(history, plan, from: records)
                }
                _ = live.take(step)
                _ = restored.take(step)
                guard case .tick(let instant) = step else { continue }
                let tick = EventTime(milliseconds: instant)
                let users = zip(
                    live.shard.deadlines(at: tick),
                    restored.shard.deadlines(at: tick)
                )
                let queued = restored.shard.queuedDeadlines
                for (one, other) in users {
                    let hasEntry = other.live == .distantFuture || queued.contains(other.entry)
                    if one.change != other.change || other.live > max(other.change, tick + 1)
                        || !hasEntry
                    {
                        wrong.append("at \(tick): live \(one), restored \(other)")
                    }
                }
            }
            if !wrong.isEmpty {
                Issue.record(
                    """
                    \(wrong)
                    \(Seeds.command(seed, "DeadlineTests/restoredEntries"))
                    \(history.description)
                    """
                )
                return
            }
        }
    }
}

/// A user's deadline as it stands, and the change it is to come before.
private struct UserDeadline {
    var slot: UserSlot
    var id: String
    var live: EventTime
    /// When the truth of a condition really changes by the clock alone, or later than that.
    var change: EventTime

    var entry: DeadlineEntry { DeadlineEntry(instant: live, slot: slot) }
}

/// An entry of the wheel.
private struct DeadlineEntry: Hashable {
    var instant: EventTime
    var slot: UserSlot
}

extension Shard {
    /// All entries of the wheel, those that were replaced too.
    fileprivate var queuedDeadlines: Set<DeadlineEntry> {
        var entries: Set<DeadlineEntry> = []
        deadlines.forEach { entries.insert(DeadlineEntry(instant: $0.instant, slot: $0.slot)) }
        return entries
    }

    /// Of every user, sorted by slot, what stands in the record and what evaluations give.
    fileprivate func deadlines(at tick: EventTime) -> [UserDeadline] {
        (0..<UserSlot(users.count)).map { slot in
            let record = users[slot]
            var deadline = UserDeadline(
                slot: slot,
                id: users.id(slot).string,
                live: record.scheduled,
                change: record.knownSince
            )
            guard record.knownSince <= tick else { return deadline }
            let now = look(slot, at: tick)
            deadline.change = now.deadline
            // A deadline may come to nothing: then the next counts.
            for _ in 0..<50 where deadline.change < .distantFuture {
                // Rounded down by less than this.
                let then = look(slot, at: deadline.change + 31)
                if then.truth != now.truth { return deadline }
                deadline.change = then.deadline
            }
            deadline.change = .distantFuture
            return deadline
        }
    }

    /// Truth of all conditions of a user at an instant, and the earliest of their deadlines.
    private func look(
        _ slot: UserSlot,
        at instant: EventTime
    ) -> (truth: [UInt64], deadline: EventTime) {
        var evaluator = evaluator
        evaluator.prepare(instant)
        let truth = WordBuffer(count: evaluator.feeds.words)
        evaluator.beginAnew(
            users[slot],
            truth: truth.start,
            traceLists: traceLists,
            recordLists: recordLists
        )
        _ = evaluator.evaluate(
            users[slot],
            slot: slot,
            at: instant,
            truth: truth.start,
            traceLists: traceLists,
            recordLists: recordLists,
            propertyLists: propertyLists,
            uploads: uploads
        )
        let earliest = (0..<evaluator.deadlineCount).map { evaluator.deadline($0).instant }.min()
        return (
            truth.array,
            earliest.map { EventTime(milliseconds: $0) } ?? .distantFuture
        )
    }
}
