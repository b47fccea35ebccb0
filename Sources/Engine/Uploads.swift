import Basics

/// Who was uploaded to which cohort, and taken out again.
///
/// Of one cohort and user, entries ascend by time, ties in the order they came; the newest ≤ T decides. Of those
/// up to the floor only the newest can decide at a coming tick, so it alone is kept.
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

    /// Notes an upload or removal that counts from `time` on; `floor`: no tick before it will come.
    mutating func note(
        _ slot: UserSlot,
        cohort: Int,
        isIn: Bool,
        at time: EventTime,
        floor: EventTime
    ) {
        let entry = Entry(time: time.milliseconds, isIn: isIn)
        var list = entries[Key(cohort: cohort, slot: slot)] ?? []
        list.insert(entry, at: list.firstIndex { $0.time > entry.time } ?? list.count)
        let past = list.prefix { $0.time <= floor.milliseconds }.count
        if past > 1 { list.removeFirst(past - 1) }
        entries[Key(cohort: cohort, slot: slot)] = list
    }

    /// Whether the user is in a cohort's list at a tick, and when that changes.
    func outcome(_ slot: UserSlot, cohort: Int, at tick: EventTime) -> ConditionOutcome {
        var outcome = ConditionOutcome(isTrue: false)
        for entry in entries[Key(cohort: cohort, slot: slot)] ?? [] {
            if entry.time > tick.milliseconds {
                outcome.change = entry.time
                break
            }
            outcome.isTrue = entry.isIn
        }
        return outcome
    }

    /// Forgets a user's entries in the lists of these cohorts.
    mutating func clear(_ slot: UserSlot, cohorts: [Int]) {
        if entries.isEmpty { return }
        for cohort in cohorts { entries[Key(cohort: cohort, slot: slot)] = nil }
    }

    /// Calls `body` with every entry of a user in the lists of these cohorts.
    func forEach(_ slot: UserSlot, cohorts: [Int], _ body: (Int, Entry) -> Void) {
        if entries.isEmpty { return }
        for cohort in cohorts {
            for entry in entries[Key(cohort: cohort, slot: slot)] ?? [] { body(cohort, entry) }
        }
    }
}
