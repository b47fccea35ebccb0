/// Reads what ``ByteWriter`` wrote; every read is checked against the end.
public struct ByteReader: Sendable {
    /// Why bytes could not be read.
    public struct Truncated: Error, Equatable {
        /// Where in the buffer the read began, in bytes.
        public let offset: Int
        /// How many bytes it needed.
        public let needed: Int

        /// What a reader of a larger structure throws where the bytes contradict themselves.
        public init(offset: Int, needed: Int) {
            self.offset = offset
            self.needed = needed
        }
    }

    private let view: ByteView
    /// The next byte to read.
    public private(set) var offset = 0

    /// Reads from the start of `view`, which must outlive the reader.
    public init(_ view: ByteView) {
        self.view = view
    }

    /// How many bytes are left.
    public var remaining: Int { view.count - offset }
    /// Whether everything was read.
    public var atEnd: Bool { offset == view.count }

    /// Reads an integer, little-endian, at its full width.
    public mutating func read<Integer: FixedWidthInteger>(
        _ type: Integer.Type = Integer.self
    ) throws(Truncated) -> Integer {
        let width = MemoryLayout<Integer>.size
        guard remaining >= width else { throw Truncated(offset: offset, needed: width) }
        let value = view.buffer.loadUnaligned(fromByteOffset: offset, as: Integer.self)
        offset += width
        return Integer(littleEndian: value)
    }

    /// Lends the next `count` bytes.
    public mutating func read(count: Int) throws(Truncated) -> ByteView {
        guard count >= 0, remaining >= count else { throw Truncated(offset: offset, needed: count) }
        let part = ByteView(base: view.base + offset, count: count)
        offset += count
        return part
    }

    /// Lends bytes that follow their 32-bit length.
    public mutating func readPrefixed() throws(Truncated) -> ByteView {
        let count: UInt32 = try read()
        return try read(count: Int(count))
    }

    /// Copies text that follows its 32-bit length.
    public mutating func readText() throws(Truncated) -> String {
        try readPrefixed().string
    }
}
