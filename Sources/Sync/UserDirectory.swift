import Basics
import Glibc

/// What destinations know users by, each with a number: shared by the ledgers of all syncs, so that an id is
/// kept once however many syncs send its user.
///
/// Open addressing over ids in one buffer. A number is stable until no ledger holds it any more. Not for two
/// threads: it belongs to one planner.
/// Complexity: O(1) per operation, amortised.
final class UserDirectory: @unchecked Sendable {
    private struct Item {
        /// Offset of the id in the arena (44 bits), its length (12 bits).
        var packed: UInt64
        /// How many hold it; 0 for a number that is free.
        var holders: UInt32 = 0
        /// The partition that counted the user in first, which is most often the only one ever.
        var home = LedgerEntry.noPartition

        init(offset: Int, length: Int) {
            packed = UInt64(offset) << 12 | UInt64(length)
        }
        var offset: Int { Int(packed >> 12) }
        var length: Int { Int(packed & 0xfff) }
    }

    static let lengthMax = 4095

    private var items: [Item] = []
    private var free: [UInt32] = []
    /// Number + 1, or 0; linear probing, at most two thirds full, no tombstones.
    private var table = [UInt32](repeating: 0, count: 16)
    private var arena: [UInt8] = []
    private var deadBytes = 0

    /// How many ids.
    var count: Int { items.count - free.count }
    /// Every number is below this.
    var bound: Int { items.count }
    /// The bytes that all this takes.
    var byteCount: Int {
        items.capacity * MemoryLayout<Item>.stride + table.count * 4 + arena.capacity
            + free.capacity * 4
    }

    func find(_ id: ByteView) -> UInt32? {
        let found = table[probe(id)]
        return found == 0 ? nil : found - 1
    }

    /// The id's number, made if need be; whoever keeps it calls ``retain(_:)``.
    func insert(_ id: ByteView) -> UInt32 {
        let position = probe(id)
        if table[position] != 0 { return table[position] - 1 }
        precondition(id.count <= Self.lengthMax, "an id of \(id.count) bytes")
        let item = Item(offset: arena.count, length: id.count)
        arena.append(contentsOf: id.buffer)
        let number: UInt32
        if let reused = free.popLast() {
            number = reused
            items[Int(number)] = item
        } else {
            number = UInt32(items.count)
            items.append(item)
        }
        table[position] = number + 1
        if count * 3 > table.count * 2 { grow() }
        return number
    }

    func retain(_ number: UInt32) {
        items[Int(number)].holders += 1
    }

    /// Gives a hold back; with the last one the id is forgotten.
    func release(_ number: UInt32) {
        items[Int(number)].holders -= 1
        if items[Int(number)].holders == 0 { remove(number) }
    }

    func length(of number: UInt32) -> Int { items[Int(number)].length }

    func home(of number: UInt32) -> UInt16 { items[Int(number)].home }

    /// Notes where the user was counted in first.
    func settle(_ number: UInt32, at partition: UInt16) {
        if items[Int(number)].home == LedgerEntry.noPartition {
            items[Int(number)].home = partition
        }
    }

    /// Lends the id.
    func withBytes<Result>(of number: UInt32, _ body: (ByteView) -> Result) -> Result {
        let item = items[Int(number)]
        return arena.withByteView { all in
            body(ByteView(base: all.base + item.offset, count: item.length))
        }
    }

    /// Sorts numbers by the bytes of their ids.
    func sort(_ numbers: inout some MutableCollection<UInt32> & RandomAccessCollection) {
        arena.withByteView { all in
            numbers.sort { left, right in
                let first = items[Int(left)]
                let second = items[Int(right)]
                let order = memcmp(
                    all.base + first.offset,
                    all.base + second.offset,
                    min(first.length, second.length)
                )
                return order == 0 ? first.length < second.length : order < 0
            }
        }
    }

    private func remove(_ number: UInt32) {
        var hole = withBytes(of: number) { probe($0) }
        let mask = table.count - 1
        var position = hole
        while true {
            position = (position + 1) & mask
            guard table[position] != 0 else { break }
            let home = withBytes(of: table[position] - 1) {
                Int(truncatingIfNeeded: Hashing.hash64($0)) & mask
            }
            // Moves back only what would not be found from its home any more.
            if (position - home) & mask >= (position - hole) & mask {
                table[hole] = table[position]
                hole = position
            }
        }
        table[hole] = 0
        deadBytes += items[Int(number)].length
        items[Int(number)] = Item(offset: 0, length: 0)
        free.append(number)
        if deadBytes > 65_536, deadBytes > arena.count / 2 { compactArena() }
    }

    /// Where the id is in the table, or the empty place where it belongs.
    private func probe(_ id: ByteView) -> Int {
        let mask = table.count - 1
        var position = Int(truncatingIfNeeded: Hashing.hash64(id)) & mask
        return arena.withByteView { all in
            while table[position] != 0 {
                let item = items[Int(table[position] - 1)]
                if id.equals(ByteView(base: all.base + item.offset, count: item.length)) { break }
                position = (position + 1) & mask
            }
            return position
        }
    }

    private func grow() {
        let mask = table.count * 2 - 1
        var grown = [UInt32](repeating: 0, count: mask + 1)
        for held in table where held != 0 {
            var position =
                withBytes(of: held - 1) { Int(truncatingIfNeeded: Hashing.hash64($0)) } & mask
            while grown[position] != 0 { position = (position + 1) & mask }
            grown[position] = held
        }
        table = grown
    }

    private func compactArena() {
        var compacted: [UInt8] = []
        compacted.reserveCapacity(arena.count - deadBytes)
        for number in items.indices where items[number].length > 0 {
            let item = items[number]
            var moved = Item(offset: compacted.count, length: item.length)
            moved.holders = item.holders
            moved.home = item.home
            items[number] = moved
            compacted.append(contentsOf: arena[item.offset..<item.offset + item.length])
        }
        arena = compacted
        deadBytes = 0
    }
}
