import Basics

/// Who was uploaded to which cohort, and taken out again.
///
/// Of one cohort and user, entries ascend by time, ties in the order they came; the newest ≤ T decides.
struct Uploads {
    private struct Key: Hashable {
        var cohort: Int
        var slot: UserSlot
    }

    /// One upload or removal.
    struct Entry {
        var time: Int64
        var isIn: Bool
    }

    private var entries: [Key: [Entry]] = [:]

    /// Notes an upload or removal that counts from `time` on.
    mutating func note(_ slot: UserSlot, cohort: Int, isIn: Bool, at time: EventTime) {
        let entry = Entry(time: time.milliseconds, isIn: isIn)
        var list = entries[Key(cohort: cohort, slot: slot)] ?? []
        list.insert(entry, at: list.firstIndex { $0.time > entry.time } ?? list.count)
        entries[Key(cohort: cohort, slot: slot)] = list
    }

    /// Whether the user is in a cohort's list at a tick, and when that changes.
    func outcome(_ slot: UserSlot, cohort: Int, at tick: EventTime) -> GeneralEvaluator.Outcome {
        var outcome = GeneralEvaluator.Outcome(isTrue: false, change: .max)
        for entry in entries[Key(cohort: cohort, slot: slot)] ?? [] {
            if entry.time > tick.milliseconds {
                outcome.change = entry.time
                break
            }
            outcome.isTrue = entry.isIn
        }
        return outcome
    }

    /// Forgets a user's entries.
    mutating func clear(_ slot: UserSlot, cohorts: Int) {
        if entries.isEmpty { return }
        for cohort in 0..<cohorts { entries[Key(cohort: cohort, slot: slot)] = nil }
    }

    /// Calls `body` with every entry of a user.
    func forEach(_ slot: UserSlot, cohorts: Int, _ body: (Int, Entry) -> Void) {
        if entries.isEmpty { return }
        for cohort in 0..<cohorts {
            for entry in entries[Key(cohort: cohort, slot: slot)] ?? [] { body(cohort, entry) }
        }
    }
}
