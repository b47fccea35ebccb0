package import Basics

/// What tells a record from another one that stands at its offset: a log that was made anew, or cut and written on,
/// has other records.
package struct RecordFingerprint: Hashable, Sendable {
    /// Where the record stands.
    package var offset: Offset
    /// Its timestamp, milliseconds since 1970-01-01 UTC; −1 where it has none.
    package var timestamp: Int64
    /// Over its value.
    package var hash: UInt64

    /// A fingerprint from its parts.
    package init(offset: Offset, timestamp: Int64, hash: UInt64) {
        self.offset = offset
        self.timestamp = timestamp
        self.hash = hash
    }
}

extension RecordView {
    /// The fingerprint of a record.
    ///
    /// - Complexity: O(bytes of the value), about eight of them a cycle.
    package var fingerprint: RecordFingerprint {
        let timestamp = timestamp ?? -1
        let seed = UInt64(bitPattern: timestamp)
        // A tombstone is not an empty value.
        let hash = value.map { Hashing.hash64($0, seed: seed) } ?? ~seed
        return RecordFingerprint(offset: offset, timestamp: timestamp, hash: hash)
    }
}
