/// Appends fixed-width little-endian numbers and length-prefixed bytes to a growing buffer.
public struct ByteWriter: Sendable {
    /// What was written so far.
    public var bytes: [UInt8] = []

    /// An empty writer with room for `capacity` bytes.
    public init(capacity: Int = 0) {
        bytes.reserveCapacity(capacity)
    }

    /// How many bytes were written.
    public var count: Int { bytes.count }

    /// Forgets what was written and keeps the memory.
    public mutating func clear() {
        bytes.removeAll(keepingCapacity: true)
    }

    /// Appends an integer, little-endian, at its full width.
    public mutating func write<Integer: FixedWidthInteger>(_ value: Integer) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// Appends the bytes as they are.
    public mutating func write(raw view: ByteView) {
        bytes.append(contentsOf: view.buffer)
    }

    /// Appends the bytes as they are.
    public mutating func write(raw more: [UInt8]) {
        bytes.append(contentsOf: more)
    }

    /// Appends a 32-bit length and the bytes.
    public mutating func write(prefixed view: ByteView) {
        write(UInt32(view.count))
        write(raw: view)
    }

    /// Appends a 32-bit length and the UTF-8 bytes of `text`.
    public mutating func write(prefixed text: String) {
        write(UInt32(text.utf8.count))
        bytes.append(contentsOf: text.utf8)
    }

    /// Overwrites four bytes at `offset`, which were written before.
    public mutating func patch(_ value: some FixedWidthInteger, at offset: Int) {
        let count = value.bitWidth / 8
        precondition(offset + count <= bytes.count, "patch at \(offset) of \(bytes.count)")
        for index in 0..<count {
            bytes[offset + index] = UInt8(truncatingIfNeeded: value >> (8 * index))
        }
    }
}
