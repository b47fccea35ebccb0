import Basics

/// Which user to look at next because of the clock alone: a binary heap of (instant, slot).
///
/// An entry is a lower bound: the user is evaluated at the first tick at or after it and then scheduled anew.
/// So a user has at most one live entry, and one that moved into the future stays where it is (the early
/// look costs one evaluation; moving it on every event would cost more).
struct DeadlineQueue {
    private struct Entry {
        var instant: Int64
        var slot: UserSlot
    }

    private var heap: [Entry] = []

    /// How many entries there are.
    var count: Int { heap.count }

    /// Adds an entry.
    mutating func push(_ instant: EventTime, _ slot: UserSlot) {
        heap.append(Entry(instant: instant.milliseconds, slot: slot))
        var child = heap.count - 1
        let entry = heap[child]
        while child > 0 {
            let parent = (child - 1) / 2
            if heap[parent].instant <= entry.instant { break }
            heap[child] = heap[parent]
            child = parent
        }
        heap[child] = entry
    }

    /// Takes out an entry that is due at `tick`; nil when none is left.
    mutating func popDue(at tick: EventTime) -> (instant: EventTime, slot: UserSlot)? {
        guard let first = heap.first, first.instant <= tick.milliseconds else { return nil }
        let last = heap.removeLast()
        if !heap.isEmpty { sink(last) }
        return (EventTime(milliseconds: first.instant), first.slot)
    }

    private mutating func sink(_ entry: Entry) {
        var parent = 0
        let count = heap.count
        while true {
            var child = 2 * parent + 1
            if child >= count { break }
            if child + 1 < count, heap[child + 1].instant < heap[child].instant { child += 1 }
            if heap[child].instant >= entry.instant { break }
            heap[parent] = heap[child]
            parent = child
        }
        heap[parent] = entry
    }
}
