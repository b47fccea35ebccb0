import Basics

/// Writes encoded values, see ``ValueKind``.
enum ValueEncoding {
    /// The most bytes of a list that is made here, far from what 32 bits can count.
    static let listBytesMax = 1 << 30

    /// Appends an integer.
    static func append(_ integer: Int64, to bytes: inout [UInt8]) {
        bytes.append(ValueKind.integer.rawValue)
        append(UInt64(bitPattern: integer), to: &bytes)
    }

    /// Appends a finite double.
    static func append(_ double: Double, to bytes: inout [UInt8]) {
        precondition(double.isFinite, "\(double) is no value")
        bytes.append(ValueKind.double.rawValue)
        append((double == 0 ? 0 : double).bitPattern, to: &bytes)
    }

    /// Appends an array of these elements in turn; false, with nothing appended, where it would be too large.
    static func append(_ lists: [ValueView]..., to bytes: inout [UInt8]) -> Bool {
        let count = lists.reduce(0) { $0 + $1.count }
        let size = lists.joined().reduce(4) { $0 + $1.bytes.count }
        guard size <= listBytesMax else { return false }
        bytes.reserveCapacity(bytes.count + 5 + size)
        bytes.append(ValueKind.array.rawValue)
        append(UInt32(size), to: &bytes)
        append(UInt32(count), to: &bytes)
        for element in lists.joined() { bytes.append(contentsOf: element.bytes.buffer) }
        return true
    }

    private static func append<Integer: FixedWidthInteger>(
        _ integer: Integer,
        to bytes: inout [UInt8]
    ) {
        withUnsafeBytes(of: integer.littleEndian) { bytes.append(contentsOf: $0) }
    }
}
