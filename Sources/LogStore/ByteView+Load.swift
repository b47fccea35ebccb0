import Basics

extension ByteView {
    /// The little-endian integer at `offset`, which must lie inside with all its bytes.
    func load<Integer: FixedWidthInteger>(_ type: Integer.Type, at offset: Int) -> Integer {
        precondition(
            offset >= 0 && offset + MemoryLayout<Integer>.size <= count,
            "\(offset) of \(count)"
        )
        return Integer(littleEndian: buffer.loadUnaligned(fromByteOffset: offset, as: type))
    }

    /// The bytes from `offset` on, `count` of them; they must lie inside.
    func part(from offset: Int, count part: Int) -> ByteView {
        precondition(
            offset >= 0 && part >= 0 && offset + part <= count,
            "\(offset)+\(part) of \(count)"
        )
        return ByteView(base: base + offset, count: part)
    }
}
