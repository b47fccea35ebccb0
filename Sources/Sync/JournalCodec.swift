import Basics

// The payloads of the sync journal. Written here and read here, next to each other; the layout is
// docs/formats-sync-journal.md.

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
    /// The longest name of a user.
    static let userBytesMax = UserDirectory.lengthMax

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

    static func terms(sync: String, _ terms: SyncTerms) -> JournalRecord {
        var writer = ByteWriter()
        writer.write(prefixed: sync)
        writer.write(prefixed: terms.cohortID)
        writer.write(prefixed: terms.cohortName)
        writer.write(terms.removesUsers ? 1 : 0 as UInt8)
        writer.write(terms.massExits.share.bitPattern)
        writer.write(UInt64(terms.massExits.users))
        writer.write(terms.isLeaving ? 1 : 0 as UInt8)
        return JournalRecord(.terms, writer)
    }

    /// A record that says something holds or does no more.
    static func flag(_ kind: Kind, sync: String, _ isOn: Bool) -> JournalRecord {
        var writer = ByteWriter(capacity: 5 + sync.utf8.count)
        writer.write(prefixed: sync)
        writer.write(isOn ? 1 : 0 as UInt8)
        return JournalRecord(kind, writer)
    }

    static func batch(
        _ intent: OpenIntent,
        sync: String,
        cuts: [PartitionCut],
        in ledger: Ledger,
        partitions: PartitionTable
    ) -> JournalRecord {
        var writer = ByteWriter(capacity: 256 + intent.users.count * 24)
        writer.write(prefixed: sync)
        writer.write(prefixed: intent.messageID)
        writer.write(prefixed: intent.cohortID)
        writer.write(prefixed: intent.cohortName)
        writer.write(intent.tick.milliseconds)
        write(cuts, to: &writer)
        writer.write(UInt32(intent.exitCount))
        // A number belongs to its partition, also when another counts the user in by now.
        let homes =
            intent.origins.isEmpty
            ? intent.users.map { ledger[$0].claim } : intent.origins.map(\.partition)
        write(intent.users, homes, in: ledger, as: cuts.map(\.partition), partitions, to: &writer)
        writer.write(intent.origins.isEmpty ? 0 : 1 as UInt8)
        if !intent.origins.isEmpty {
            for cut in cuts {
                let first = intent.origins.first { partitions[$0.partition].id == cut.partition }
                writer.write(first?.sequence ?? 0)
            }
        }
        writer.write(UInt32(intent.properties.count))
        for text in intent.properties { text.withByteView { writer.write(prefixed: $0) } }
        return JournalRecord(.batch, writer)
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

    static func settled(
        sync: String,
        message: String,
        ambiguous: Bool,
        _ outcomes: UserOutcomes
    ) -> JournalRecord {
        var writer = ByteWriter()
        writer.write(prefixed: sync)
        writer.write(prefixed: message)
        writer.write(ambiguous ? 1 : 0 as UInt8)
        writer.write(UInt32(outcomes.outcomes.count))
        for outcome in outcomes.outcomes { writer.write(outcome.rawValue) }
        writer.write(UInt32(outcomes.reasons.count))
        for place in outcomes.reasons.keys.sorted() {
            writer.write(UInt32(place))
            writer.write(prefixed: outcomes.reasons[place] ?? "")
        }
        return JournalRecord(.settled, writer)
    }

    static func held(sync: String, _ hold: Hold) -> JournalRecord {
        var writer = ByteWriter()
        writer.write(prefixed: sync)
        switch hold {
        case .refused(let reason):
            writer.write(prefixed: reason)
            return JournalRecord(.paused, writer)
        case .failed(let reason):
            writer.write(0 as UInt64)
            writer.write(prefixed: reason)
        case .massExit(let users):
            writer.write(UInt64(users))
            writer.write(prefixed: "")
        }
        return JournalRecord(.held, writer)
    }

    static func list(sync: String, id: String) -> JournalRecord {
        var writer = ByteWriter()
        writer.write(prefixed: sync)
        writer.write(prefixed: id)
        return JournalRecord(.list, writer)
    }

    static func runDue(sync: String, _ due: EventTime) -> JournalRecord {
        var writer = ByteWriter()
        writer.write(prefixed: sync)
        writer.write(due.milliseconds)
        return JournalRecord(.runDue, writer)
    }

    static func runBegun(sync: String, tick: EventTime, _ run: RunState) -> JournalRecord {
        var writer = ByteWriter()
        writer.write(prefixed: sync)
        writer.write(tick.milliseconds)
        writer.write((run.newestDue ?? tick).milliseconds)
        writer.write(UInt64(run.delivered))
        writer.write(UInt64(run.skipped))
        return JournalRecord(.runBegun, writer)
    }

    static func runEnded(sync: String, _ run: SyncStatus.Run) -> JournalRecord {
        var writer = ByteWriter()
        writer.write(prefixed: sync)
        writer.write(run.tick.milliseconds)
        writer.write(prefixed: run.result.rawValue)
        writer.write(UInt64(run.delivered))
        writer.write(UInt64(run.skipped))
        return JournalRecord(.runEnded, writer)
    }

    static func sequences(
        sync: String,
        _ sequences: [UInt64],
        _ partitions: PartitionTable
    ) -> JournalRecord {
        var writer = ByteWriter()
        writer.write(prefixed: sync)
        let used = sequences.indices.filter { sequences[$0] > 1 }
        writer.write(UInt32(used.count))
        for index in used {
            writer.write(partitions[UInt16(index)].id)
            writer.write(sequences[index])
        }
        return JournalRecord(.sequences, writer)
    }

    static func skipped(
        sync: String,
        _ operation: Operation,
        reason: String,
        users: [UInt32],
        in ledger: Ledger,
        partitions: PartitionTable
    ) -> JournalRecord {
        var writer = ByteWriter()
        writer.write(prefixed: sync)
        writer.write(operation.rawValue)
        writer.write(prefixed: reason)
        write(users, claimedIn: ledger, partitions, to: &writer)
        return JournalRecord(.skipped, writer)
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
        write(users, claimedIn: ledger, partitions, to: &writer)
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

    /// The partitions that count the users, and the users.
    private static func write(
        _ users: [UInt32],
        claimedIn ledger: Ledger,
        _ partitions: PartitionTable,
        to writer: inout ByteWriter
    ) {
        let ids = Set(users.map { ledger[$0].claim }).map { partitions[$0].id }.sorted()
        writer.write(UInt32(ids.count))
        for id in ids { writer.write(id) }
        let homes = users.map { ledger[$0].claim }
        write(users, homes, in: ledger, as: ids, partitions, to: &writer)
    }

    /// Users with the partitions that count them, as places in `ids`.
    private static func write(
        _ users: [UInt32],
        _ homes: [UInt16],
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
        for (slot, home) in zip(users, homes) {
            guard let place = places[home] else {
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
