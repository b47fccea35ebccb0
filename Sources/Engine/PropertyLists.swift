import Basics
import Events

/// The assignments to properties of every user that can still decide a value, in slab memory.
///
/// Of one name, entries stand together, ascending by time, ties in log order. The newest assignment with
/// time ≤ T decides; where it unset the property (a null), or there is none, the first `$setOnce` after it
/// does. Of the assignments ≤ floor only the last can decide at any coming tick, so the others are dropped
/// when the name is next assigned; of equal `$setOnce` values in a row the first and the last are kept.
///
/// With `identify: next_event` an assignment of an `$identify` is *deferred*: it takes its place by its own
/// time, but is looked over before the instant it shows from, that of the user's next event.
///
/// ```
/// user ──► [ name u32 | bytes u31 | once u1 ][ time i63 | deferred u1 ][ shows from i64, if deferred ]
///          [ encoded value, padded to words ] …
/// ```
struct PropertyLists: ~Copyable {
    /// One assignment, as read off a row.
    struct Entry {
        /// Number of the name.
        var name: UInt32
        var time: Int64
        /// No tick before it sees the assignment: ``time``, or later where it is deferred.
        var showsFrom: Int64
        var isDeferred: Bool
        /// Whether it is a `$setOnce`.
        var isOnce: Bool
        var value: ValueView
        /// Words from the row's start to this entry.
        var position: Int
        /// Words this entry takes.
        var words: Int
    }

    /// What became of an assignment.
    enum Outcome {
        case assigned
        /// The value was the one that decides anyhow, so no coming tick sees a difference.
        case repeated
        /// An assignment that stays decides at every coming tick.
        case superseded
        /// The user has as many names as the limit allows.
        case beyondLimit
    }

    private(set) var slab = WordSlab()
    /// No assignment of anybody shows later than this, in milliseconds, but for those that wait for an event.
    ///
    /// Seldom is anything ahead of a tick, and then nobody's values need to be searched for it.
    private var latest = Int64.min

    init() {}

    /// The entry at `position` words; nil at the row's end.
    func entry(_ row: SlabRow, at position: Int) -> Entry? {
        guard position < Int(row.words) else { return nil }
        let words = slab.pointer(row.block) + position
        let count = Int(words[0] >> 32 & 0x7fff_ffff)
        let time = Int64(bitPattern: words[1]) >> 1
        let isDeferred = words[1] & 1 != 0
        let header = isDeferred ? 3 : 2
        let bytes = UnsafeRawPointer(words + header).assumingMemoryBound(to: UInt8.self)
        return Entry(
            name: UInt32(truncatingIfNeeded: words[0]),
            time: time,
            showsFrom: isDeferred ? Int64(bitPattern: words[2]) : time,
            isDeferred: isDeferred,
            isOnce: words[0] >> 63 != 0,
            value: ValueView(ByteView(base: bytes, count: count)),
            position: position,
            words: header + (count + 7) / 8
        )
    }

    /// Asks for the user's entries, so that they are near when they are needed.
    @inline(__always)
    func prefetch(_ row: SlabRow) { slab.prefetch(row, words: Int(row.words)) }

    /// Whether an assignment only repeats what decides anyhow, as what a user sends with every event does; then its
    /// time is noted.
    ///
    /// Only the usual case is known here: one plain entry of the name, of the same value, and no tick to come between
    /// it and the assignment. ``assign(name:time:value:to:floor:namesMax:countsName:)`` knows all.
    func repeats(
        _ name: UInt32,
        _ time: Int64,
        _ value: ValueView,
        in row: SlabRow,
        floor: Int64
    ) -> Bool {
        guard row.words > 0, time <= floor else { return false }
        let start = slab.pointer(row.block)
        let end = start + Int(row.words)
        var entry = start
        var found: UnsafeMutablePointer<UInt64>?
        while entry < end {
            if UInt32(truncatingIfNeeded: entry[0]) == name {
                // Neither `$setOnce` nor deferred, nor one of several.
                if found != nil || entry[0] >> 63 != 0 || entry[1] & 1 != 0 { return false }
                found = entry
            } else if found != nil {
                break
            }
            let bytes = Int(entry[0] >> 32 & 0x7fff_ffff)
            entry += (entry[1] & 1 != 0 ? 3 : 2) + (bytes + 7) / 8
        }
        guard let found, Int64(bitPattern: found[1]) >> 1 <= time,
            Int(found[0] >> 32 & 0x7fff_ffff) == value.bytes.count
        else { return false }
        let bytes = UnsafeRawPointer(found + 2).assumingMemoryBound(to: UInt8.self)
        guard ByteView(base: bytes, count: value.bytes.count).equals(value.bytes) else {
            return false
        }
        found[1] = UInt64(bitPattern: time << 1)
        return true
    }

    /// The value of a name in force at `tick`; missing or null where there is none.
    func value(_ row: SlabRow, name: UInt32, at tick: EventTime) -> ValueView {
        decided(row, name: name, at: tick).value
    }

    /// What decides the value of a name: the value, when it was assigned, and whether that is deferred.
    typealias Decided = (value: ValueView, time: Int64, isDeferred: Bool)

    /// What decides the value of a name at `tick`; missing and distant past where nothing does.
    func decided(_ row: SlabRow, name: UInt32, at tick: EventTime) -> Decided {
        var assigned: Decided?
        var once: Decided?
        var isFound = false
        var position = 0
        while let entry = entry(row, at: position) {
            if entry.name == name {
                isFound = true
                if entry.time > tick.milliseconds { break }
                if entry.showsFrom > tick.milliseconds {
                    position += entry.words
                    continue
                }
                if entry.isOnce {
                    if once == nil { once = (entry.value, entry.time, entry.isDeferred) }
                } else {
                    assigned = (entry.value, entry.time, entry.isDeferred)
                    once = nil
                }
            } else if isFound {
                break
            }
            position += entry.words
        }
        if let assigned, !assigned.value.isMissingOrNull { return assigned }
        return once ?? assigned ?? (.missing, EventTime.distantPast.milliseconds, false)
    }

    /// The earliest instant after `tick` from which an assignment shows; nil if there is none.
    ///
    /// - `counts`: Whether assignments to the name of that number count.
    func nextChange(
        _ row: SlabRow,
        after tick: EventTime,
        of counts: (UInt32) -> Bool = { _ in true }
    ) -> EventTime? {
        if latest <= tick.milliseconds { return nil }
        var earliest = EventTime.distantFuture.milliseconds
        var position = 0
        while let entry = entry(row, at: position) {
            if entry.showsFrom > tick.milliseconds, counts(entry.name) {
                earliest = min(earliest, entry.showsFrom)
            }
            position += entry.words
        }
        let change = EventTime(milliseconds: earliest)
        return change == .distantFuture ? nil : change
    }

    /// Makes deferred assignments up to `time` show from there on at the latest: the user had an event then.
    ///
    /// - `floor`: No tick before it will come.
    mutating func show(_ row: inout SlabRow, at time: Int64, floor: Int64) {
        guard row.awaitsEvent else { return }
        row.awaitsEvent = false
        var position = 0
        while let entry = entry(row, at: position) {
            var showsFrom = entry.showsFrom
            if entry.time <= time, time < showsFrom {
                showsFrom = time
                note(shows: time)
                slab.pointer(row.block)[position + 2] = UInt64(bitPattern: time)
            }
            if entry.isDeferred, showsFrom > floor { row.awaitsEvent = true }
            position += entry.words
        }
    }

    /// Gives back everything of a user.
    mutating func clear(_ row: inout SlabRow) { slab.clear(&row) }

    /// Takes an assignment in log order.
    ///
    /// - `floor`: No tick before it will come.
    /// - `namesMax`: The most names of this kind a user may have; checked for a new name only.
    /// - `countsName`: Whether a name number belongs to the kind that is limited.
    mutating func assign(
        name: UInt32,
        time: Int64,
        value: ValueView,
        to row: inout SlabRow,
        floor: Int64,
        namesMax: Int,
        countsName: (UInt32) -> Bool
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
                if entry.isOnce || entry.isDeferred {
                    return insert(
                        name,
                        time,
                        value,
                        isOnce: false,
                        into: &row,
                        floor: floor,
                        keepsAll: false
                    )
                }
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
        if replaceStart < replaceEnd, replaceEnd == insertAt,
            let replaced = entry(row, at: replaceStart),
            replaced.position + replaced.words == replaceEnd,
            replaced.value.bytes.equals(value.bytes)
        {
            // What a user sends with every event: of the same place and value, only the time is newer.
            slab.pointer(row.block)[replaceStart + 1] = UInt64(bitPattern: time << 1)
            return .repeated
        }
        splice(
            name: name,
            time: time,
            value: value,
            into: &row,
            removing: replaceStart..<replaceEnd,
            at: insertAt
        )
        return .assigned
    }

    /// Removes a range of words and inserts an entry at `insertAt`, which is not inside the range.
    private mutating func splice(
        name: UInt32,
        time: Int64,
        value: ValueView,
        into row: inout SlabRow,
        removing: Range<Int>,
        at insertAt: Int
    ) {
        let valueWords = (value.bytes.count + 7) / 8
        let words = 2 + valueWords
        if removing.count == words, insertAt == removing.upperBound {
            // The usual case: the same place, the same length.
            _ = write(
                name: name,
                time: time,
                isOnce: false,
                value: value,
                at: slab.pointer(row.block) + removing.lowerBound
            )
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
        written += write(
            name: name,
            time: time,
            isOnce: false,
            value: value,
            at: target + written
        )
        if row.words > 0 {
            (target + written).update(
                from: slab.pointer(row.block) + insertAt,
                count: Int(row.words) - insertAt
            )
        }
        slab.replaceBlock(of: &row, with: block, sizeClass: sizeClass)
        row.words = UInt32(total)
    }

    /// Writes an entry, deferred where `showsFrom` is given, and returns how many words it takes.
    private mutating func write(
        name: UInt32,
        time: Int64,
        showsFrom: Int64? = nil,
        isOnce: Bool,
        value: ValueView,
        at target: UnsafeMutablePointer<UInt64>
    ) -> Int {
        let header = showsFrom == nil ? 2 : 3
        let words = header + (value.bytes.count + 7) / 8
        target[0] = UInt64(name) | UInt64(value.bytes.count) << 32 | (isOnce ? 1 << 63 : 0)
        target[1] = UInt64(bitPattern: time << 1 | (showsFrom == nil ? 0 : 1))
        if let showsFrom { target[2] = UInt64(bitPattern: showsFrom) }
        note(shows: showsFrom ?? time)
        precondition(value.bytes.count > 0, "an assignment without a value")
        target[words - 1] = 0
        UnsafeMutableRawPointer(target + header).copyMemory(
            from: value.bytes.base,
            byteCount: value.bytes.count
        )
        return words
    }

    /// Notes from when on an assignment shows; distant future where that is not known yet.
    @inline(__always)
    private mutating func note(shows instant: Int64) {
        if instant < EventTime.distantFuture.milliseconds { latest = max(latest, instant) }
    }

    // MARK: The general way

    /// Takes an assignment of any kind for a name that is there or may be added, keeping what can decide.
    ///
    /// - `showsFrom`: Makes it deferred: no tick before this instant sees it.
    /// - `keepsAll`: Drops nothing: for names whose whole history is asked for.
    mutating func insert(
        _ name: UInt32,
        _ time: Int64,
        _ value: ValueView,
        isOnce: Bool,
        showsFrom: Int64? = nil,
        into row: inout SlabRow,
        floor: Int64,
        keepsAll: Bool
    ) -> Outcome {
        var list = history(row, name: name)
        let place = list.entries.firstIndex { $0.time > time } ?? list.entries.count
        list.entries.insert(
            Owned(time: time, deferredTo: showsFrom, isOnce: isOnce, value: value.bytes.array),
            at: place
        )
        if let showsFrom, showsFrom > floor { row.awaitsEvent = true }
        if !keepsAll { Self.compact(&list.entries, floor: floor) }
        replace(list.words, of: name, with: list.entries, in: &row)
        return .assigned
    }

    /// Whether the user has any entry of a name.
    func contains(_ row: SlabRow, name: UInt32) -> Bool {
        var position = 0
        while let entry = entry(row, at: position) {
            if entry.name == name { return true }
            position += entry.words
        }
        return false
    }

    /// How many different names of a kind the user has.
    func nameCount(_ row: SlabRow, _ counts: (UInt32) -> Bool) -> Int {
        var count = 0
        var previous: UInt32?
        var position = 0
        while let entry = entry(row, at: position) {
            if entry.name != previous, counts(entry.name) { count += 1 }
            previous = entry.name
            position += entry.words
        }
        return count
    }

    /// The different names a user has, in their order.
    func names(_ row: SlabRow) -> [UInt32] {
        var names: [UInt32] = []
        var position = 0
        while let entry = entry(row, at: position) {
            if entry.name != names.last { names.append(entry.name) }
            position += entry.words
        }
        return names
    }

    /// When a name was assigned, and from when on that shows where it is deferred.
    func times(_ row: SlabRow, name: UInt32) -> [(time: Int64, deferredTo: Int64?)] {
        history(row, name: name).entries.map { ($0.time, $0.deferredTo) }
    }

    /// An entry with its value copied out of the slab.
    private struct Owned {
        var time: Int64
        /// From when on it shows; nil where it is not deferred.
        var deferredTo: Int64?
        var isOnce: Bool
        var value: [UInt8]

        func shows(at floor: Int64) -> Bool { (deferredTo ?? time) <= floor }

        var words: Int { (deferredTo == nil ? 2 : 3) + (value.count + 7) / 8 }
    }

    private func history(_ row: SlabRow, name: UInt32) -> (words: Range<Int>, entries: [Owned]) {
        var entries: [Owned] = []
        var words = Int(row.words)..<Int(row.words)
        var position = 0
        while let entry = entry(row, at: position) {
            if entry.name == name {
                if entries.isEmpty { words = position..<position }
                entries.append(
                    Owned(
                        time: entry.time,
                        deferredTo: entry.isDeferred ? entry.showsFrom : nil,
                        isOnce: entry.isOnce,
                        value: entry.value.bytes.array
                    )
                )
                words = words.lowerBound..<position + entry.words
            } else if !entries.isEmpty {
                break
            }
            position += entry.words
        }
        return (words, entries)
    }

    /// Drops what decides at no tick from `floor` on, whatever still arrives.
    private static func compact(_ entries: inout [Owned], floor: Int64) {
        let past = entries.prefix { $0.time <= floor }.count
        let decides = entries[..<past].lastIndex { !$0.isOnce && $0.shows(at: floor) }
        guard let last = decides ?? (past > 0 ? 0 : nil) else { return }
        var kept: [Owned] = []
        for index in entries.indices {
            if index < last, index < past { continue }
            // Of equal `$setOnce` values in a row, one in the middle is never the first after an unset
            // that the last would not be as well, nor the first of all.
            let isInner =
                index > last && index + 1 < past && entries[index].isOnce
                && entries[index - 1].isOnce
                && entries[index + 1].isOnce && entries[index].value == entries[index - 1].value
                && entries[index].value == entries[index + 1].value
                && entries[index - 1...index + 1].allSatisfy { $0.shows(at: floor) }
            if !isInner { kept.append(entries[index]) }
        }
        entries = kept
    }

    private mutating func replace(
        _ words: Range<Int>,
        of name: UInt32,
        with entries: [Owned],
        in row: inout SlabRow
    ) {
        let added = entries.reduce(0) { $0 + $1.words }
        let total = Int(row.words) - words.count + added
        let sizeClass = WordSlab.sizeClass(words: max(1, total))
        let block = slab.allocate(sizeClass: sizeClass)
        let target = slab.pointer(block)
        var written = 0
        if row.words > 0 {
            target.update(from: slab.pointer(row.block), count: words.lowerBound)
            written = words.lowerBound
        }
        for entry in entries {
            written += entry.value.withByteView { bytes in
                write(
                    name: name,
                    time: entry.time,
                    showsFrom: entry.deferredTo,
                    isOnce: entry.isOnce,
                    value: ValueView(bytes),
                    at: target + written
                )
            }
        }
        if row.words > 0 {
            (target + written).update(
                from: slab.pointer(row.block) + words.upperBound,
                count: Int(row.words) - words.upperBound
            )
        }
        slab.replaceBlock(of: &row, with: block, sizeClass: sizeClass)
        row.words = UInt32(total)
    }
}

// MARK: Snapshots

extension PropertyLists {
    /// What a snapshot says of a user's assignments: how many words they take, and these as they stand.
    ///
    /// Byte table: docs/formats.md, "Engine state".
    func encode(_ row: SlabRow, to writer: inout ByteWriter) {
        writer.write(row.words)
        guard row.words > 0 else { return }
        let words = UnsafePointer<UInt64>(slab.pointer(row.block))
        writer.write(
            raw: ByteView(UnsafeRawBufferPointer(start: words, count: Int(row.words) * 8))
        )
    }

    /// Puts back what ``encode(_:to:)`` wrote of a user, who has nothing.
    ///
    /// - `sentCount`: How many names have numbers that are the same for ever.
    mutating func restore(
        _ reader: inout ByteReader,
        _ restoring: borrowing StateRestore,
        sentCount: UInt32,
        to row: inout SlabRow
    ) throws(ByteReader.Truncated) {
        let count: UInt32 = try reader.read()
        guard count > 0 else { return }
        let bytes = try reader.read(count: Int(count) * 8)
        guard count < 1 << 24 else {
            throw ByteReader.Truncated(offset: reader.offset, needed: 0)
        }
        slab.reserve(&row, words: Int(count), keeping: 0)
        let words = slab.pointer(row.block)
        UnsafeMutableRawPointer(words).copyMemory(from: bytes.base, byteCount: bytes.count)
        var position = 0
        while position < Int(count) {
            let isDeferred = position + 1 < Int(count) && words[position + 1] & 1 != 0
            let valueBytes = Int(words[position] >> 32 & 0x7fff_ffff)
            let size = (isDeferred ? 3 : 2) + (valueBytes + 7) / 8
            guard valueBytes > 0, Int(count) - position >= size,
                let name = restoring.number(
                    UInt32(truncatingIfNeeded: words[position]),
                    sentCount: sentCount
                )
            else { throw ByteReader.Truncated(offset: reader.offset, needed: 0) }
            words[position] = words[position] & ~0xffff_ffff | UInt64(name)
            // Whether it shows already is found out by the next event.
            if isDeferred { row.awaitsEvent = true }
            note(
                shows: isDeferred
                    ? Int64(bitPattern: words[position + 2])
                    : Int64(bitPattern: words[position + 1]) >> 1
            )
            position += size
        }
        row.words = count
    }
}

extension SlabRow {
    /// Of a row of properties: words in use.
    var words: UInt32 {
        get { count }
        set { count = newValue }
    }

    /// Of a row of properties: whether an event to come may make a deferred assignment show.
    var awaitsEvent: Bool {
        get { isMarked }
        set { isMarked = newValue }
    }
}
