import Basics

// The payloads of the sync journal. Written here and read here, next to each other; the layout is
// docs/formats-sync-journal.md.

/// What an intent record holds, users apart.
struct IntentHeader: Equatable {
    var syncID: String
    var messageID: String
    var cohortID: String
    var cohortName: String
    var operation: Operation
    var tick: EventTime
    var cuts: [PartitionCut]
}

/// What a destination is known to hold of the users of one ledger record.
struct LedgerState: Hashable {
    var isAcknowledged: Bool
    var unknown: Operation?
    var doubt: Operation?

    var byte: UInt8 {
        (isAcknowledged ? 1 : 0) | Self.code(unknown) << 1 | Self.code(doubt) << 3
    }

    init(isAcknowledged: Bool, unknown: Operation?, doubt: Operation?) {
        self.isAcknowledged = isAcknowledged
        self.unknown = unknown
        self.doubt = doubt
    }

    init?(byte: UInt8) {
        guard byte < 0x20, byte >> 1 & 3 < 3, byte >> 3 & 3 < 3 else { return nil }
        isAcknowledged = byte & 1 == 1
        unknown = Operation(rawValue: (byte >> 1 & 3) &- 1)
        doubt = Operation(rawValue: (byte >> 3 & 3) &- 1)
    }

    private static func code(_ operation: Operation?) -> UInt8 {
        operation.map { $0.rawValue + 1 } ?? 0
    }
}

extension JournalRecord {
    /// The most users one record of any kind holds.
    static let usersMax = 4096
    /// The longest id of a user: 1024 bytes of an event and the word before a device's.
    static let userBytesMax = 2047

    /// A record that says no more than which sync it is about.
    static func naming(_ kind: Kind, sync: String) -> JournalRecord {
        var writer = ByteWriter(capacity: 4 + sync.utf8.count)
        writer.write(prefixed: sync)
        return JournalRecord(kind, writer)
    }

    static func begin(sync: String, destination: String) -> JournalRecord {
        var writer = ByteWriter()
        writer.write(prefixed: sync)
        writer.write(prefixed: destination)
        return JournalRecord(.begin, writer)
    }

    static func intent(
        _ header: IntentHeader,
        users: [UInt32],
        in ledger: Ledger,
        partitions: PartitionTable
    ) -> JournalRecord {
        var writer = ByteWriter(capacity: 256 + users.count * 24)
        writer.write(prefixed: header.syncID)
        writer.write(prefixed: header.messageID)
        writer.write(prefixed: header.cohortID)
        writer.write(prefixed: header.cohortName)
        writer.write(header.operation.rawValue)
        writer.write(header.tick.milliseconds)
        write(header.cuts, to: &writer)
        write(users, in: ledger, as: header.cuts.map(\.partition), partitions, to: &writer)
        return JournalRecord(.intent, writer)
    }

    /// A result of a batch; `ambiguous` says that some attempt of it ended with an unknown outcome.
    static func result(
        _ kind: Kind,
        sync: String,
        message: String,
        ambiguous: Bool
    ) -> JournalRecord {
        var writer = ByteWriter()
        writer.write(prefixed: sync)
        writer.write(prefixed: message)
        writer.write(ambiguous ? 1 : 0 as UInt8)
        return JournalRecord(kind, writer)
    }

    static func paused(sync: String, reason: String) -> JournalRecord {
        var writer = ByteWriter()
        writer.write(prefixed: sync)
        writer.write(prefixed: reason)
        return JournalRecord(.paused, writer)
    }

    static func claim(
        sync: String,
        partition: PartitionID,
        user: UInt32,
        in ledger: Ledger
    ) -> JournalRecord {
        var writer = ByteWriter()
        writer.write(prefixed: sync)
        writer.write(partition)
        ledger.withBytes(of: user) { writer.write(prefixed: $0) }
        return JournalRecord(.claim, writer)
    }

    static func ledger(
        sync: String,
        state: LedgerState,
        users: [UInt32],
        in ledger: Ledger,
        partitions: PartitionTable
    ) -> JournalRecord {
        var writer = ByteWriter(capacity: 64 + users.count * 24)
        writer.write(prefixed: sync)
        writer.write(state.byte)
        let ids = Set(users.map { ledger[$0].claim }).map { partitions[$0].id }.sorted()
        writer.write(UInt32(ids.count))
        for id in ids { writer.write(id) }
        write(users, in: ledger, as: ids, partitions, to: &writer)
        return JournalRecord(.ledger, writer)
    }

    static func cuts(_ cuts: [PartitionCut]) -> JournalRecord {
        var writer = ByteWriter()
        write(cuts, to: &writer)
        return JournalRecord(.cuts, writer)
    }

    private static func write(_ cuts: [PartitionCut], to writer: inout ByteWriter) {
        writer.write(UInt32(cuts.count))
        for item in cuts {
            writer.write(item.partition)
            writer.write(item.cut.offset)
            writer.write(item.cut.commands)
            writer.write(item.cut.tick.milliseconds)
        }
    }

    /// Users with the partition that counts them, as its place in `ids`.
    private static func write(
        _ users: [UInt32],
        in ledger: Ledger,
        as ids: [PartitionID],
        _ partitions: PartitionTable,
        to writer: inout ByteWriter
    ) {
        writer.write(UInt32(users.count))
        var places: [UInt16: UInt16] = [:]
        for (place, id) in ids.enumerated() {
            if let index = partitions.find(id) { places[index] = UInt16(place) }
        }
        for slot in users {
            guard let place = places[ledger[slot].claim] else {
                preconditionFailure("user \(slot) of a partition that is not in the record")
            }
            writer.write(place)
            ledger.withBytes(of: slot) { bytes in
                writer.write(UInt16(bytes.count))
                writer.write(raw: bytes)
            }
        }
    }
}

/// Reads payloads; every failure becomes a ``SyncJournalError`` that names the record's type.
struct JournalDecoder {
    let type: UInt8
    private var reader: ByteReader

    init(type: UInt8, payload: ByteView) {
        self.type = type
        reader = ByteReader(payload)
    }

    func malformed(_ detail: String) -> SyncJournalError {
        .malformed(type: type, detail: detail)
    }

    mutating func number<Integer: FixedWidthInteger>(
        _ kind: Integer.Type = Integer.self
    ) throws(SyncJournalError) -> Integer {
        do { return try reader.read(kind) } catch { throw malformed("ends at \(error.offset)") }
    }

    mutating func text() throws(SyncJournalError) -> String {
        do { return try reader.readText() } catch { throw malformed("ends at \(error.offset)") }
    }

    mutating func bytes() throws(SyncJournalError) -> ByteView {
        try user(count: Int(number(UInt32.self)))
    }

    mutating func operation() throws(SyncJournalError) -> Operation {
        let raw: UInt8 = try number()
        guard let operation = Operation(rawValue: raw) else { throw malformed("operation \(raw)") }
        return operation
    }

    /// How many elements of at least `width` bytes follow; never more than the payload can hold.
    mutating func count(width: Int) throws(SyncJournalError) -> Int {
        let count = Int(try number(UInt32.self))
        guard count <= reader.remaining / width else { throw malformed("\(count) elements") }
        return count
    }

    mutating func cuts() throws(SyncJournalError) -> [PartitionCut] {
        var cuts: [PartitionCut] = []
        for _ in 0..<(try count(width: 28)) {
            let partition: PartitionID = try number()
            let offset: Offset = try number()
            let commands: Offset = try number()
            let tick = EventTime(milliseconds: try number())
            let cut = Cut(offset: offset, commands: commands, tick: tick)
            cuts.append(PartitionCut(partition: partition, cut: cut))
        }
        return cuts
    }

    mutating func intentHeader() throws(SyncJournalError) -> IntentHeader {
        let sync = try text()
        let message = try text()
        let cohort = try text()
        let name = try text()
        let operation = try operation()
        let tick = EventTime(milliseconds: try number())
        return IntentHeader(
            syncID: sync,
            messageID: message,
            cohortID: cohort,
            cohortName: name,
            operation: operation,
            tick: tick,
            cuts: try cuts()
        )
    }

    /// Calls `body` for each user with its partition.
    mutating func users(
        of ids: [PartitionID],
        _ body: (ByteView, PartitionID) -> Void
    ) throws(SyncJournalError) {
        for _ in 0..<(try count(width: 4)) {
            let place = Int(try number(UInt16.self))
            guard ids.indices.contains(place) else { throw malformed("partition \(place)") }
            body(try user(count: Int(number(UInt16.self))), ids[place])
        }
    }

    func end() throws(SyncJournalError) {
        guard reader.atEnd else { throw malformed("\(reader.remaining) bytes too many") }
    }

    private mutating func user(count: Int) throws(SyncJournalError) -> ByteView {
        guard count <= JournalRecord.userBytesMax else {
            throw malformed("a user of \(count) bytes")
        }
        do { return try reader.read(count: count) } catch {
            throw malformed("ends at \(error.offset)")
        }
    }
}
