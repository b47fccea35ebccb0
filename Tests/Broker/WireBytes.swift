/// What is read of a request: the protocol's types, big-endian.
struct WireReader {
    /// The request is shorter than its form says.
    struct Malformed: Error {}

    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    mutating func integer<Number: FixedWidthInteger>(_ type: Number.Type) throws -> Number {
        let end = position + MemoryLayout<Number>.size
        guard end <= bytes.count else { throw Malformed() }
        defer { position = end }
        return bytes[position..<end].reduce(0) { $0 << 8 | Number(truncatingIfNeeded: $1) }
    }

    mutating func int8() throws -> Int8 { try integer(Int8.self) }
    mutating func int16() throws -> Int16 { try integer(Int16.self) }
    mutating func int32() throws -> Int32 { try integer(Int32.self) }
    mutating func int64() throws -> Int64 { try integer(Int64.self) }

    mutating func string() throws -> String? {
        let count = Int(try int16())
        return count < 0 ? nil : String(decoding: try take(count), as: UTF8.self)
    }

    mutating func data() throws -> [UInt8] {
        let count = Int(try int32())
        return count < 0 ? [] : Array(try take(count))
    }

    /// Reads the elements of an array; a null one has none.
    mutating func array<Element>(
        _ element: (inout WireReader) throws -> Element
    ) throws -> [Element] {
        var elements: [Element] = []
        for _ in 0..<max(0, try int32()) { elements.append(try element(&self)) }
        return elements
    }

    private mutating func take(_ count: Int) throws -> ArraySlice<UInt8> {
        guard position + count <= bytes.count else { throw Malformed() }
        defer { position += count }
        return bytes[position..<position + count]
    }
}

/// What is written of an answer: the protocol's types, big-endian.
struct WireWriter {
    private(set) var bytes: [UInt8] = []

    mutating func write(_ number: some FixedWidthInteger) {
        for shift in stride(from: number.bitWidth - 8, through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: number >> shift))
        }
    }

    mutating func write(_ text: String?) {
        guard let text else { return write(Int16(-1)) }
        write(Int16(text.utf8.count))
        bytes += text.utf8
    }

    mutating func write(data: [UInt8]) {
        write(Int32(data.count))
        bytes += data
    }

    mutating func write<Element>(
        array: [Element],
        _ element: (inout WireWriter, Element) -> Void
    ) {
        write(Int32(array.count))
        for each in array { element(&self, each) }
    }

    /// A number of records: zigzag, seven bits a byte.
    mutating func write(variable number: Int64) {
        var rest = UInt64(bitPattern: number << 1 ^ number >> 63)
        while rest > 0x7f {
            bytes.append(UInt8(truncatingIfNeeded: rest | 0x80))
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    mutating func append(_ more: [UInt8]) { bytes += more }
}
