/// Hash functions of our own tables and files: fast, seedless where stored, not for secrets.
///
/// The mixing step is the 64×64→128 multiply-and-fold that wyhash and its relatives rest on. The values are
/// stored (dedupe generations, structural hashes), so they must never change: see the golden values in
/// BasicsTests.
public enum Hashing {
    /// 64 bits over the bytes.
    ///
    /// - Complexity: O(count), about 8 bytes a cycle.
    @inlinable public static func hash64(_ bytes: ByteView, seed: UInt64 = 0) -> UInt64 {
        var state = seed ^ 0xa076_1d64_78bd_642f
        let base = UnsafeRawPointer(bytes.base)
        var position = 0
        while bytes.count - position >= 16 {
            state = absorb(load64(base, position), load64(base, position + 8), state)
            position += 16
        }
        let rest = rest(base, position, bytes.count)
        return finish(rest.low, rest.high, state, bytes.count)
    }

    /// Both of what ``hash64(_:seed:)`` gives under two seeds, for little more than the price of one.
    @inlinable public static func hash64(
        _ bytes: ByteView,
        seeds: (UInt64, UInt64)
    ) -> (UInt64, UInt64) {
        var first = seeds.0 ^ 0xa076_1d64_78bd_642f
        var second = seeds.1 ^ 0xa076_1d64_78bd_642f
        let base = UnsafeRawPointer(bytes.base)
        var position = 0
        while bytes.count - position >= 16 {
            let low = load64(base, position)
            let high = load64(base, position + 8)
            first = absorb(low, high, first)
            second = absorb(low, high, second)
            position += 16
        }
        let rest = rest(base, position, bytes.count)
        return (
            finish(rest.low, rest.high, first, bytes.count),
            finish(rest.low, rest.high, second, bytes.count)
        )
    }

    @inlinable @inline(__always)
    static func absorb(_ low: UInt64, _ high: UInt64, _ state: UInt64) -> UInt64 {
        fold(low ^ 0xe703_7ed1_a0b4_28db, high ^ state)
    }

    @inlinable @inline(__always)
    static func finish(_ low: UInt64, _ high: UInt64, _ state: UInt64, _ count: Int) -> UInt64 {
        fold(
            0x8ebc_6af0_9c88_c6e3 ^ UInt64(truncatingIfNeeded: count),
            fold(low ^ 0xe703_7ed1_a0b4_28db, high ^ state)
        )
    }

    /// The last 0…15 bytes, from `position` on, as two numbers.
    @inlinable @inline(__always)
    static func rest(
        _ base: UnsafeRawPointer,
        _ position: Int,
        _ count: Int
    ) -> (low: UInt64, high: UInt64) {
        let left = count - position
        if left >= 8 {
            return (
                load64(base, position), tail(base, position + 8, left - 8, before: position + 8)
            )
        }
        return (tail(base, position, left, before: position), 0)
    }

    /// Mixes one more word into a hash.
    @inlinable public static func combine(_ hash: UInt64, _ word: UInt64) -> UInt64 {
        fold(hash ^ 0x5896_5899_6c8f_2f63, word ^ 0x1d8e_4e27_c47d_124f)
    }

    @inlinable static func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }

    @inlinable static func load64(_ base: UnsafeRawPointer, _ offset: Int) -> UInt64 {
        UInt64(littleEndian: base.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    /// The last 0…7 bytes as a number, the first of them lowest: few loads, which may overlap, and no loop.
    ///
    /// - `before`: How many bytes may be read before them.
    @inlinable @inline(__always)
    static func tail(
        _ base: UnsafeRawPointer,
        _ offset: Int,
        _ count: Int,
        before: Int
    ) -> UInt64 {
        if count == 0 { return 0 }
        if before >= 8 { return load64(base, offset + count - 8) >> UInt64(64 - 8 * count) }
        func load32(_ offset: Int) -> UInt64 {
            UInt64(
                UInt32(littleEndian: base.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
            )
        }
        func byte(_ index: Int) -> UInt64 {
            UInt64(base.load(fromByteOffset: offset + index, as: UInt8.self))
                << UInt64(8 * index)
        }
        if count >= 4 {
            let high = load32(offset + count - 4) >> UInt64(8 * (8 - count))
            return load32(offset) | high << 32
        }
        return byte(0) | byte(count / 2) | byte(count - 1)
    }
}
