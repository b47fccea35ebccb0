import Basics
import Events

/// The assignments to properties of every user that can still decide a value, in slab memory.
///
/// Of one name, entries stand together, ascending by time, ties in log order. Of those ≤ floor only the last
/// decides at any coming tick, so the others are dropped when the name is next assigned.
///
/// ```
/// user ──► [ name u32 | bytes u32 ][ time i64 ][ encoded value, padded to words ] …
/// ```
struct PropertyLists: ~Copyable {
    /// The entries of one user; part of the user's record.
    struct Row {
        var block: WordSlab.Handle = WordSlab.none
        /// Words in use.
        var words: UInt32 = 0
        var sizeClass: UInt8 = 0
    }

    /// One assignment, as read off a row.
    struct Entry {
        /// Number of the name.
        var name: UInt32
        var time: Int64
        var value: ValueView
        /// Words from the row's start to this entry.
        var position: Int
        /// Words this entry takes.
        var words: Int
    }

    /// What became of an assignment.
    enum Outcome {
        case assigned
        /// An assignment that stays decides at every coming tick.
        case superseded
        /// The user has as many names as the limit allows.
        case beyondLimit
    }

    private(set) var slab = WordSlab()

    init() {}

    /// The entry at `position` words; nil at the row's end.
    func entry(_ row: Row, at position: Int) -> Entry? {
        guard position < Int(row.words) else { return nil }
        let words = slab.pointer(row.block) + position
        let count = Int(words[0] >> 32)
        let bytes = UnsafeRawPointer(words + 2).assumingMemoryBound(to: UInt8.self)
        return Entry(
            name: UInt32(truncatingIfNeeded: words[0]), time: Int64(bitPattern: words[1]),
            value: ValueView(ByteView(base: bytes, count: count)), position: position,
            words: 2 + (count + 7) / 8)
    }

    /// The value of a name in force at `tick`; missing where none was ever assigned.
    func value(_ row: Row, name: UInt32, at tick: EventTime) -> ValueView {
        var found = ValueView.missing
        var position = 0
        while let entry = entry(row, at: position) {
            if entry.name == name {
                if entry.time > tick.milliseconds { break }
                found = entry.value
            } else if !found.isMissing {
                break
            }
            position += entry.words
        }
        return found
    }

    /// The earliest time of an assignment after `tick`; nil if there is none.
    func nextChange(_ row: Row, after tick: EventTime) -> EventTime? {
        var earliest = Int64.max
        var position = 0
        while let entry = entry(row, at: position) {
            if entry.time > tick.milliseconds { earliest = min(earliest, entry.time) }
            position += entry.words
        }
        return earliest == .max ? nil : EventTime(milliseconds: earliest)
    }

    /// Gives back everything of a user.
    mutating func clear(_ row: inout Row) {
        if row.block != WordSlab.none { slab.release(row.block, sizeClass: row.sizeClass) }
        row = Row()
    }

    /// Takes an assignment in log order.
    ///
    /// - Parameters:
    ///   - floor: No tick before it will come.
    ///   - namesMax: The most names of this kind a user may have; checked for a new name only.
    ///   - countsName: Whether a name number belongs to the kind that is limited.
    mutating func assign(
        name: UInt32, time: Int64, value: ValueView, to row: inout Row, floor: Int64,
        namesMax: Int, countsName: (UInt32) -> Bool
    ) -> Outcome {
        // Where the name's entries lie, and which of them the new one replaces.
        var first: Int?
        var replaceStart = 0
        var replaceEnd = 0
        var insertAt = Int(row.words)
        var names = 0
        var previousName: UInt32?
        var position = 0
        while let entry = entry(row, at: position) {
            if entry.name == name {
                if first == nil {
                    first = position
                    replaceStart = position
                    replaceEnd = position
                    insertAt = position
                }
                if entry.time <= time {
                    insertAt = position + entry.words
                    if time <= floor { replaceEnd = insertAt }
                } else if entry.time <= floor {
                    return .superseded
                }
                if entry.time <= floor, time > floor, entry.position > replaceStart {
                    replaceEnd = entry.position
                }
            } else if first != nil {
                break
            }
            if entry.name != previousName, countsName(entry.name) { names += 1 }
            previousName = entry.name
            position += entry.words
        }
        if first == nil {
            if countsName(name), names >= namesMax { return .beyondLimit }
            replaceStart = Int(row.words)
            replaceEnd = replaceStart
        }
        splice(
            name: name, time: time, value: value, into: &row, removing: replaceStart..<replaceEnd,
            at: insertAt)
        return .assigned
    }

    /// Removes a range of words and inserts an entry at `insertAt`, which is not inside the range.
    private mutating func splice(
        name: UInt32, time: Int64, value: ValueView, into row: inout Row, removing: Range<Int>,
        at insertAt: Int
    ) {
        let valueWords = (value.bytes.count + 7) / 8
        let words = 2 + valueWords
        if removing.count == words, insertAt == removing.upperBound {
            // The usual case: the same place, the same length.
            write(name: name, time: time, value: value, at: slab.pointer(row.block) + removing.lowerBound)
            return
        }
        let total = Int(row.words) - removing.count + words
        let sizeClass = WordSlab.sizeClass(words: total)
        let block = slab.allocate(sizeClass: sizeClass)
        let target = slab.pointer(block)
        var written = 0
        if row.words > 0 {
            let source = slab.pointer(row.block)
            written = removing.lowerBound
            target.update(from: source, count: written)
            if insertAt > removing.upperBound {
                let kept = insertAt - removing.upperBound
                (target + written).update(from: source + removing.upperBound, count: kept)
                written += kept
            }
        }
        write(name: name, time: time, value: value, at: target + written)
        written += words
        if row.words > 0 {
            (target + written).update(
                from: slab.pointer(row.block) + insertAt, count: Int(row.words) - insertAt)
            slab.release(row.block, sizeClass: row.sizeClass)
        }
        row.block = block
        row.words = UInt32(total)
        row.sizeClass = sizeClass
    }

    private func write(
        name: UInt32, time: Int64, value: ValueView, at target: UnsafeMutablePointer<UInt64>
    ) {
        target[0] = UInt64(name) | UInt64(value.bytes.count) << 32
        target[1] = UInt64(bitPattern: time)
        precondition(value.bytes.count > 0, "an assignment without a value")
        target[1 + (value.bytes.count + 7) / 8] = 0
        UnsafeMutableRawPointer(target + 2).copyMemory(
            from: value.bytes.base, byteCount: value.bytes.count)
    }
}
