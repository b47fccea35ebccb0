import Basics

/// What a batch record holds, users apart.
struct BatchHeader: Equatable {
    var syncID: String
    var messageID: String
    var cohortID: String
    var cohortName: String
    var tick: EventTime
    var cuts: [PartitionCut]
    /// How many of the users leave; nil for a record of earlier versions whose users all do what `operation` says.
    var exitCount: Int?
    var operation = Operation.enter
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

    mutating func batchHeader(_ kind: JournalRecord.Kind) throws(SyncJournalError) -> BatchHeader {
        let sync = try text()
        let message = try text()
        let cohort = try text()
        let name = try text()
        let operation = kind == .intent ? try operation() : .enter
        let tick = try instant()
        let cuts = try cuts()
        return BatchHeader(
            syncID: sync,
            messageID: message,
            cohortID: cohort,
            cohortName: name,
            tick: tick,
            cuts: cuts,
            exitCount: kind == .intent ? nil : Int(try number(UInt32.self)),
            operation: operation
        )
    }

    mutating func instant() throws(SyncJournalError) -> EventTime {
        EventTime(milliseconds: try number())
    }

    /// A count of users.
    mutating func userCount() throws(SyncJournalError) -> Int {
        let count: UInt64 = try number()
        guard count <= UInt32.max else { throw malformed("\(count) users") }
        return Int(count)
    }

    mutating func flag() throws(SyncJournalError) -> Bool {
        try number(UInt8.self) != 0
    }

    mutating func terms() throws(SyncJournalError) -> SyncTerms {
        SyncTerms(
            cohortID: try text(),
            cohortName: try text(),
            removesUsers: try flag(),
            massExits: MassExitGuard(
                share: Double(bitPattern: try number()),
                users: Int(clamping: try number() as UInt64)
            ),
            isLeaving: try flag()
        )
    }

    /// The partitions of the users that follow.
    mutating func partitions() throws(SyncJournalError) -> [PartitionID] {
        var ids: [PartitionID] = []
        for _ in 0..<(try count(width: 4)) { ids.append(try number()) }
        return ids
    }

    mutating func outcomes() throws(SyncJournalError) -> UserOutcomes {
        let count = try count(width: 1)
        var outcomes = UserOutcomes(count: count, all: .delivered)
        for place in 0..<count {
            let raw: UInt8 = try number()
            guard let outcome = UserOutcomes.Outcome(rawValue: raw) else {
                throw malformed("outcome \(raw)")
            }
            outcomes.set(place, outcome)
        }
        for _ in 0..<(try self.count(width: 8)) {
            let place = Int(try number(UInt32.self))
            guard place < count else { throw malformed("a reason for user \(place)") }
            outcomes.set(place, outcomes.outcomes[place], reason: try text())
        }
        return outcomes
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

    /// Bytes of any length with the count before them.
    mutating func longBytes() throws(SyncJournalError) -> [UInt8] {
        let length = Int(try number(UInt32.self))
        do { return try reader.read(count: length).array } catch {
            throw malformed("ends at \(error.offset)")
        }
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
