import Basics

/// When users had events of any type, as far as it decides from when on an identify shows.
///
/// Filled with `identify: next_event` only. Of the events up to the floor, which every tick to come sees, the
/// newest is enough; of those ahead of it all are kept.
struct EventTimes {
    /// By slot; distant past where there is none.
    private var newest: [Int64] = []
    /// Ascending; entries that the floor has passed leave with the user's next event.
    private var ahead: [UserSlot: [Int64]] = [:]

    /// Notes an event; `floor`: no tick before it will come.
    mutating func note(_ time: Int64, slot: UserSlot, floor: Int64) {
        if time > floor { ahead[slot, default: []].append(time) }
        if let times = ahead[slot] {
            let left = times.filter { $0 > floor }.sorted()
            for time in times where time <= floor { raise(slot, to: time) }
            ahead[slot] = left.isEmpty ? nil : left
        }
        if time <= floor { raise(slot, to: time) }
    }

    /// The time of the user's first event at `time` or later: distant future where there is none, `time` itself
    /// where every tick to come sees it.
    func next(from time: Int64, slot: UserSlot) -> Int64 {
        if Int(slot) < newest.count, newest[Int(slot)] >= time { return time }
        return ahead[slot]?.first { $0 >= time } ?? EventTime.distantFuture.milliseconds
    }

    /// What is kept of a user: first the newest up to the floor, or distant past, then those ahead of it,
    /// ascending; empty where there is none.
    func times(_ slot: UserSlot) -> [Int64] {
        let past = Int(slot) < newest.count ? newest[Int(slot)] : EventTime.distantPast.milliseconds
        let others = ahead[slot] ?? []
        return past == EventTime.distantPast.milliseconds && others.isEmpty ? [] : [past] + others
    }

    /// Takes what ``times(_:)`` gave, eight bytes each, in the place of what is kept.
    mutating func restore(_ bytes: ByteView, slot: UserSlot) {
        // As it is unless identifies wait.
        if bytes.isEmpty, newest.isEmpty, ahead.isEmpty { return }
        clear(slot)
        let times = (0..<bytes.count / 8).map {
            bytes.buffer.loadUnaligned(fromByteOffset: $0 * 8, as: Int64.self)
        }
        guard let past = times.first else { return }
        raise(slot, to: past)
        ahead[slot] = times.count > 1 ? Array(times.dropFirst()) : nil
    }

    /// Forgets a user's events.
    mutating func clear(_ slot: UserSlot) {
        if Int(slot) < newest.count { newest[Int(slot)] = EventTime.distantPast.milliseconds }
        ahead[slot] = nil
    }

    private mutating func raise(_ slot: UserSlot, to time: Int64) {
        while newest.count <= Int(slot) { newest.append(EventTime.distantPast.milliseconds) }
        newest[Int(slot)] = max(newest[Int(slot)], time)
    }
}
