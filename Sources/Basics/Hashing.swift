/// Hash functions of our own tables and files: fast, seedless where stored, not for secrets.
///
/// The mixing step is the 64×64→128 multiply-and-fold that wyhash and its relatives rest on. The values are
/// stored (dedupe generations, structural hashes), so they must never change: see the golden values in
/// BasicsTests.
package enum Hashing {
    /// 64 bits over the bytes.
    ///
    /// - Complexity: O(count), about 8 bytes a cycle.
    @inlinable package static func hash64(_ bytes: ByteView, seed: UInt64 = 0) -> UInt64 {
        var state = seed ^ 0xa076_1d64_78bd_642f
        let base = UnsafeRawPointer(bytes.base)
        var position = 0
        var remaining = bytes.count
        while remaining >= 16 {
            state = fold(
                load64(base, position) ^ 0xe703_7ed1_a0b4_28db,
                load64(base, position + 8) ^ state
            )
            position += 16
            remaining -= 16
        }
        var low: UInt64 = 0
        var high: UInt64 = 0
        if remaining >= 8 {
            low = load64(base, position)
            position += 8
            remaining -= 8
            high = tail(base, position, remaining)
        } else {
            low = tail(base, position, remaining)
        }
        return fold(
            0x8ebc_6af0_9c88_c6e3 ^ UInt64(truncatingIfNeeded: bytes.count),
            fold(low ^ 0xe703_7ed1_a0b4_28db, high ^ state)
        )
    }

    /// Mixes one more word into a hash.
    @inlinable package static func combine(_ hash: UInt64, _ word: UInt64) -> UInt64 {
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
    @inlinable static func tail(_ base: UnsafeRawPointer, _ offset: Int, _ count: Int) -> UInt64 {
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
        return count == 0 ? 0 : byte(0) | byte(count / 2) | byte(count - 1)
    }
}
