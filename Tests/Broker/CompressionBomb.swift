/// Few bytes that are decompressed to very many zeros.
package enum CompressionBomb {
    /// How many bytes it claims, or turns into, at least; the codec's form may round it up.
    package static func bytes(_ codec: RecordBatch.Codec, of size: Int) -> [UInt8] {
        switch codec {
        case .gzip: gzip(size)
        case .lz4: lz4(size)
        case .zstd: zstd(size)
        case .snappy: snappy(size)
        case .none, .unknown: [UInt8](repeating: 0, count: size)
        }
    }

    /// RFC 1951 and 1952: one block with the fixed code, of matches of 258 bytes, thirteen bits each.
    ///
    /// Its trailer is left out: whoever gets there has decompressed it all.
    private static func gzip(_ size: Int) -> [UInt8] {
        var bytes: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]
        bytes.reserveCapacity(size / 150)
        var pending: UInt32 = 0
        var count: UInt32 = 0
        /// Bits in the order of time, the first one lowest.
        func put(_ bits: UInt32, _ width: UInt32) {
            pending |= bits << count
            count += width
            while count >= 8 {
                bytes.append(UInt8(truncatingIfNeeded: pending))
                pending >>= 8
                count -= 8
            }
        }
        // The last block, with the fixed code; then a zero, whose code is 00110000.
        put(0b011, 3)
        put(0b0000_1100, 8)
        // Length 258, code 11000101, from the highest bit on; distance 1, code 00000.
        for _ in 0...(size / 258) { put(0b0_0000_1010_0011, 13) }
        put(0, 7)
        put(0, 7)
        return bytes
    }

    /// The frame format of LZ4: blocks of 4 MiB, each one match as long as it.
    private static func lz4(_ size: Int) -> [UInt8] {
        let blockSize = 4 << 20
        // A literal, then a match, then five literals, as the end of a block must be.
        var rest = blockSize - 1 - 5 - 4 - 15
        var block: [UInt8] = [0x1f, 0, 1, 0]
        while rest >= 255 {
            block.append(255)
            rest -= 255
        }
        block += [UInt8(rest), 0x50, 0, 0, 0, 0, 0]
        var bytes: [UInt8] = [0x04, 0x22, 0x4d, 0x18, 0x60, 0x70, 0x73]
        for _ in 0..<max(1, size / blockSize) {
            bytes += (0..<4).map { UInt8(truncatingIfNeeded: block.count >> (8 * $0)) }
            bytes += block
        }
        return bytes + [0, 0, 0, 0]
    }

    /// RFC 8878: blocks of one repeated byte, 128 KiB each.
    private static func zstd(_ size: Int) -> [UInt8] {
        let blockSize = 128 << 10
        let count = max(1, size / blockSize)
        // No size, no checksum; a window of 128 KiB.
        var bytes: [UInt8] = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 7 << 3]
        for index in 0..<count {
            let header = (blockSize << 3) | (1 << 1) | (index == count - 1 ? 1 : 0)
            bytes += (0..<3).map { UInt8(truncatingIfNeeded: header >> (8 * $0)) } + [0]
        }
        return bytes
    }

    /// The length, and a literal byte: a block of snappy cannot be much longer than a twentieth of it.
    private static func snappy(_ size: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = UInt32(clamping: size)
        while rest > 0x7f {
            bytes.append(UInt8(truncatingIfNeeded: rest | 0x80))
            rest >>= 7
        }
        return bytes + [UInt8(rest), 0, 0]
    }
}
