import Basics

/// One record of the sync journal, as appended to it and as replayed at the next start.
///
/// Layout of the payloads: docs/formats-sync-journal.md.
package struct JournalRecord: Sendable, Equatable {
    /// The kinds of records.
    package enum Kind: UInt8, Sendable {
        // stored: do not renumber
        /// A sync begins with nothing acknowledged.
        case begin = 1
        /// A batch is about to be sent.
        case intent = 2
        /// A batch was taken.
        case delivered = 3
        /// A batch will not be sent again.
        case withdrawn = 4
        /// A destination refused us; the sync waits for a person.
        case paused = 5
        /// A paused sync delivered again.
        case resumed = 6
        /// The first population of a sync was delivered.
        case populated = 7
        /// One more partition counts a user in.
        case claim = 8
        /// What a destination holds, in a rewritten journal.
        case ledger = 9
        /// The newest cuts that intents were planned from, in a rewritten journal.
        case cuts = 10
        /// A sync is no longer configured.
        case forgotten = 11
    }

    /// The record's kind, ``Kind`` as a number.
    package var type: UInt8
    /// The record's content.
    package var payload: [UInt8]

    init(_ kind: Kind, _ payload: ByteWriter) {
        type = kind.rawValue
        self.payload = payload.bytes
    }
}

/// A sync journal that cannot be understood.
package enum SyncJournalError: Error, Equatable, CustomStringConvertible {
    /// A type that this version does not write.
    case unknownType(UInt8)
    /// A record whose content does not hold together.
    case malformed(type: UInt8, detail: String)

    /// What happened and what to do.
    package var description: String {
        switch self {
        case .unknownType(let type):
            "sync journal: a record has the unknown type \(type); it was written by a newer version, "
                + "start that one"
        case .malformed(let type, let detail):
            "sync journal: a record of type \(type) is damaged (\(detail)); restore data_dir from a "
                + "backup, or remove the journal to send every sync anew"
        }
    }
}
