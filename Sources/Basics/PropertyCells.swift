/// The values of some properties of one user, in an agreed order of the properties.
///
/// ```
/// for each property: u8 kind, u32 byte count (little-endian), UTF-8
/// ```
/// Text, numbers and booleans are written as the cohort language writes them; everything else as JSON.
public enum PropertyCells {
    /// What a value is.
    public enum Kind: UInt8, Sendable {
        /// The user has no such property, or it is null.
        case absent = 0
        case text = 1
        case number = 2
        case boolean = 3
        /// A list or an object, as JSON.
        case json = 4
    }

    /// Appends the value of the next property.
    public static func append(_ kind: Kind, _ value: ByteView, to cells: inout [UInt8]) {
        cells.append(kind.rawValue)
        var count = UInt32(value.count)
        for _ in 0..<4 {
            cells.append(UInt8(truncatingIfNeeded: count))
            count >>= 8
        }
        cells.append(contentsOf: value.buffer)
    }

    /// The value of one property; absent where the cells are fewer.
    ///
    /// - Complexity: O(cells before it).
    public static func value(_ index: Int, of cells: ByteView) -> (kind: Kind, value: ByteView) {
        var offset = 0
        var remaining = index
        while offset + 5 <= cells.count {
            var count = 0
            for byte in 0..<4 { count |= Int(cells.base[offset + 1 + byte]) << (8 * byte) }
            guard offset + 5 + count <= cells.count else { break }
            if remaining == 0 {
                let kind = Kind(rawValue: cells.base[offset]) ?? .absent
                return (kind, ByteView(base: cells.base + offset + 5, count: count))
            }
            offset += 5 + count
            remaining -= 1
        }
        return (.absent, .empty)
    }
}
