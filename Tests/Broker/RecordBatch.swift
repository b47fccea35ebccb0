import Basics

/// A batch of records as it stands in a log of Kafka, right or wrong in any way.
///
/// ```
/// base offset i64 │ length i32 │ leader epoch i32 │ magic i8 │ CRC-32C u32 │ attributes i16 │ last delta i32 │
/// base time i64 │ max time i64 │ producer i64 │ epoch i16 │ sequence i32 │ count i32 │ records, compressed or not
/// ```
/// The checksum is of everything from the attributes on. Source: "Message Format" of Kafka's documentation.
package struct RecordBatch: Sendable {
    /// A record with its key; a nil value is a tombstone.
    package struct Record: Sendable {
        package var key: [UInt8]?
        package var value: [UInt8]?

        package init(key: [UInt8]? = nil, value: [UInt8]?) {
            self.key = key
            self.value = value
        }

        package init(key: String, value: String) {
            self.init(key: Array(key.utf8), value: Array(value.utf8))
        }
    }

    /// How the records are said to be compressed, by the number in the attributes.
    package enum Codec: Int16, CaseIterable, Sendable {
        case none, gzip, snappy, lz4, zstd
        /// Of a Kafka to come.
        case unknown
    }

    package var records: [Record]
    /// Milliseconds since 1970, of all records.
    package var timestamp: Int64
    package var codec = Codec.none
    /// Stands instead of the records, as if it were they, compressed.
    package var body: [UInt8]?
    /// Whether the checksum is of something else.
    package var isChecksumWrong = false
    /// How many records it says to have; nil is as many as there are.
    package var claimedCount: Int?
    /// Whose transaction it belongs to.
    package var producerID: Int64 = -1
    var isControl = false

    /// A batch that is right, its records uncompressed.
    package init(_ records: [Record], timestamp: Int64) {
        self.records = records
        self.timestamp = timestamp
    }

    /// The mark at the end of a transaction.
    static func marker(producerID: Int64, isCommitted: Bool, timestamp: Int64) -> RecordBatch {
        // Version 0, then what it marks.
        var batch = RecordBatch(
            [Record(key: [0, 0, 0, isCommitted ? 1 : 0], value: [0, 0, 0, 0, 0, 0])],
            timestamp: timestamp
        )
        batch.producerID = producerID
        batch.isControl = true
        return batch
    }

    /// Where the checksum begins to count.
    private static let checkedFrom = 21

    /// How many offsets it takes.
    var offsetCount: Int64 { Int64(claimedCount ?? records.count) }

    /// Its bytes, in a log at this offset.
    func bytes(at offset: Int64) -> [UInt8] {
        var checked = WireWriter()
        let isTransactional = producerID >= 0
        checked.write(codec.rawValue | (isTransactional ? 0x10 : 0) | (isControl ? 0x20 : 0))
        checked.write(Int32(offsetCount - 1))
        checked.write(timestamp)
        checked.write(timestamp)
        checked.write(producerID)
        checked.write(Int16(isTransactional ? 0 : -1))
        checked.write(Int32(-1))
        checked.write(Int32(offsetCount))
        checked.append(body ?? plainRecords)
        let checksum = checked.bytes.withByteView { CRC32C.checksum($0) }
        var batch = WireWriter()
        batch.write(offset)
        batch.write(Int32(checked.bytes.count + Self.checkedFrom - 12))
        batch.write(Int32(0))
        batch.write(Int8(2))
        batch.write(isChecksumWrong ? ~checksum : checksum)
        batch.append(checked.bytes)
        return batch.bytes
    }

    private var plainRecords: [UInt8] {
        var all = WireWriter()
        for (index, record) in records.enumerated() {
            var one = WireWriter()
            one.write(Int8(0))
            one.write(variable: 0)
            one.write(variable: Int64(index))
            for bytes in [record.key, record.value] {
                one.write(variable: Int64(bytes?.count ?? -1))
                one.append(bytes ?? [])
            }
            one.write(variable: 0)
            all.write(variable: Int64(one.bytes.count))
            all.append(one.bytes)
        }
        return all.bytes
    }
}
