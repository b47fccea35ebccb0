package import Basics

/// The identifiers of one user as a partner gets them: one cell for each of `identity.keys`, the missing
/// ones empty.
///
/// The bytes are what a ledger keeps of a user who was sent, so that a removal names the user as the addition
/// did:
/// ```
/// for each key, in the order of the template: u16 byte count (little-endian), UTF-8
/// ```
package enum MappedRow {
    /// The longest identifier, in bytes.
    package static let cellByteCountMax = 65_535

    /// A cell of a row; empty where the user has none, or the row is of fewer keys.
    ///
    /// - Complexity: O(cells before it).
    package static func cell(_ index: Int, of row: ByteView) -> ByteView {
        var offset = 0
        for _ in 0..<index {
            guard offset + 2 <= row.count else { return .empty }
            offset += 2 + count(row, offset)
        }
        guard offset + 2 <= row.count else { return .empty }
        let size = count(row, offset)
        guard offset + 2 + size <= row.count else { return .empty }
        return ByteView(base: row.base + offset + 2, count: size)
    }

    /// Appends a cell to a row.
    static func append(_ cell: [UInt8], to row: inout [UInt8]) {
        row.append(UInt8(truncatingIfNeeded: cell.count))
        row.append(UInt8(truncatingIfNeeded: cell.count >> 8))
        row.append(contentsOf: cell)
    }

    private static func count(_ row: ByteView, _ offset: Int) -> Int {
        Int(row.base[offset]) | Int(row.base[offset + 1]) << 8
    }
}

/// Why a user cannot be named to a partner: the class "Unresolved mapping".
///
/// The raw values are the stable words of histories and exports.
package enum MappingRefusal: String, CaseIterable, Sendable, Error {
    /// None of the keys has a value, or none is left of it.
    case noValue = "no_value"
    /// A value does not match its key's `match`.
    case badFormat = "bad_format"
    /// A value is longer than `max_bytes`, or the user alone is more than a request holds.
    case tooLong = "too_long"
    /// A value is a hash already, which the template does not take.
    case alreadyHashed = "already_hashed"
    /// Several keys have a value where one is wanted.
    case severalValues = "several_values"
}
