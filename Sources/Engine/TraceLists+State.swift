import Basics

// Snapshots: rows of times as they stand.

extension TraceLists {
    /// What a snapshot says of a user's times: whether they take eight bytes, and the row as it stands but for times
    /// in a block of their own, which follow their entry: their number and whether they take eight bytes, their epoch
    /// unless they do, and they as they stand.
    ///
    /// Byte table: docs/formats.md, "Engine state".
    func encode(_ row: SlabRow, to writer: inout ByteWriter) {
        let bytesOffset = writer.count
        writer.write(UInt32(0))
        guard row.count > 0 else { return }
        let bytes = UnsafePointer<UInt8>(start(row).assumingMemoryBound(to: UInt8.self))
        var copied = 0
        for entry in entries(row) where entry.header.isFar {
            let end = entry.start + Header.bytes - start(row)
            writer.write(raw: ByteView(base: bytes + copied, count: end - copied))
            copied = end + Far.bytes
            let far = entry.far
            writer.write(far.count | (far.isWide ? Self.wideFlag : 0))
            if !far.isWide { writer.write(far.epoch) }
            let times = UnsafeRawBufferPointer(
                start: start(far) + Int(far.end - far.count) * far.width,
                count: Int(far.count) * far.width
            )
            writer.write(raw: ByteView(times))
        }
        writer.write(raw: ByteView(base: bytes + copied, count: Int(row.count) - copied))
        let count = UInt32(writer.count - bytesOffset - 4)
        precondition(count < Self.wideFlag, "\(count) bytes of one user's times")
        writer.patch(count | (row.isWide ? Self.wideFlag : 0), at: bytesOffset)
    }

    private static var wideFlag: UInt32 { 1 << 31 }
    /// What a stored epoch, or the first of times that have none, may be: more than there is, and far from an overflow.
    private static var instants: ClosedRange<Int64> { -(1 << 60)...1 << 60 }

    /// Puts back what ``encode(_:to:)`` wrote of a user, who has nothing.
    ///
    /// - `numbers`: The plan's number of each stored trace; nil leaves it out.
    mutating func restore(
        _ reader: inout ByteReader,
        numbers: borrowing [Int?],
        to row: inout SlabRow
    ) throws(ByteReader.Truncated) {
        let sized: UInt32 = try reader.read()
        guard sized > 0 else { return }
        let isWide = sized & Self.wideFlag != 0
        let bytes = try reader.read(count: Int(sized & ~Self.wideFlag))
        var isPlain = true
        guard
            let needed = Self.check(bytes, isWide: isWide, numbers: numbers, isPlain: &isPlain),
            needed < 1 << 24
        else { throw ByteReader.Truncated(offset: reader.offset, needed: 0) }
        reserve(&row, bytes: needed)
        row.isWide = isWide
        if isPlain {
            start(row).copyMemory(from: bytes.base, byteCount: bytes.count)
            row.count = UInt32(bytes.count)
        } else {
            fill(&row, from: bytes, numbers: numbers)
        }
    }

    /// The bytes that a row stored like this takes at most; nil where it contradicts itself.
    ///
    /// - `isPlain`: Made false unless the row may be taken as it is stored.
    private static func check(
        _ bytes: ByteView,
        isWide: Bool,
        numbers: borrowing [Int?],
        isPlain: inout Bool
    ) -> Int? {
        let width = isWide ? 8 : 4
        var position = Self.epochBytes
        var needed = position
        guard position <= bytes.count else { return nil }
        let epoch = bytes.buffer.loadUnaligned(as: Int64.self)
        guard isWide || instants.contains(epoch) else { return nil }
        while position < bytes.count {
            guard bytes.count - position >= Header.bytes else { return nil }
            let header = Header(
                word: bytes.buffer.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            )
            position += Header.bytes
            guard header.trace < numbers.count else { return nil }
            if numbers[header.trace] != header.trace { isPlain = false }
            if header.isFar {
                guard let (times, end) = storedFar(bytes, at: position) else { return nil }
                guard times.count == 0 || instants.contains(times[0]) else { return nil }
                position = end
                isPlain = false
                needed += Header.bytes + Far.bytes
            } else {
                guard header.count <= inlineMax,
                    bytes.count - position >= header.count * width
                else { return nil }
                position += header.count * width
                needed += Header.bytes + header.count * width
            }
        }
        return needed
    }

    /// The times that stand in a block of their own, stored at a position, and where they end; nil where they go on
    /// beyond the row.
    private static func storedFar(
        _ bytes: ByteView,
        at position: Int
    ) -> (times: Times, end: Int)? {
        guard bytes.count - position >= 4 else { return nil }
        let sized = bytes.buffer.loadUnaligned(fromByteOffset: position, as: UInt32.self)
        let isWide = sized & wideFlag != 0
        let count = Int(sized & ~wideFlag)
        guard isWide || bytes.count - position >= 4 + epochBytes else { return nil }
        let first = position + (isWide ? 4 : 4 + epochBytes)
        let end = first + count * (isWide ? 8 : 4)
        guard bytes.count >= end else { return nil }
        let epoch =
            isWide
            ? 0 : bytes.buffer.loadUnaligned(fromByteOffset: position + 4, as: Int64.self)
        return (
            Times(count: count, first: bytes.base + first, isWide: isWide, epoch: epoch), end
        )
    }

    /// Takes over the entries of a checked row one by one: some under another number, some not at all.
    private mutating func fill(_ row: inout SlabRow, from bytes: ByteView, numbers: [Int?]) {
        let source = UnsafeRawPointer(bytes.base)
        start(row).copyMemory(from: source, byteCount: Self.epochBytes)
        row.count = UInt32(Self.epochBytes)
        var position = Self.epochBytes
        while position < bytes.count {
            let stored = Header(
                word: source.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            )
            position += Header.bytes
            let near = position
            let far = stored.isFar ? Self.storedFar(bytes, at: position) : nil
            position = far?.end ?? near + stored.count * (row.isWide ? 8 : 4)
            guard let trace = numbers[stored.trace] else { continue }
            let entry = entry(at: Int(row.count), of: row)
            entry.header = Header(trace: trace, count: stored.count, base: stored.base)
            if let times = far?.times {
                var far = Far(
                    from: times.first ?? 0,
                    to: times.last ?? 0,
                    count: times.count
                )
                fill(&far, with: times, room: times.count)
                entry.far = far
            } else {
                (entry.start + Header.bytes).copyMemory(
                    from: source + near,
                    byteCount: position - near
                )
            }
            row.count += UInt32(entry.bytes)
        }
        if row.count == UInt32(Self.epochBytes) { clear(&row) }
    }
}

#if _endian(big)
#error("a snapshot takes rows as they stand in memory, and its numbers are little-endian")
#endif
