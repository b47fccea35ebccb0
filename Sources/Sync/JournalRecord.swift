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
        /// A batch of users who all go the same way is about to be sent; as earlier versions wrote it.
        case intent = 2
        /// A batch was taken.
        case delivered = 3
        /// A batch will not be sent again.
        case withdrawn = 4
        /// A destination refuses us; the next start tries once.
        case paused = 5
        /// What held a sync does so no more.
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
        /// A batch is about to be sent.
        case batch = 12
        /// A batch ended differently for different users.
        case settled = 13
        /// A person paused or resumed a sync.
        case commanded = 14
        /// A person lets many leave, or that is used up.
        case approved = 15
        /// A sync waits for a person.
        case held = 16
        /// The destination made a list, under this id.
        case list = 17
        /// The list is gone: nobody is on it.
        case relisted = 18
        /// No run is due before this instant.
        case runDue = 19
        /// A person asked for a run.
        case runAsked = 20
        /// A run begins.
        case runBegun = 21
        /// A run is over.
        case runEnded = 22
        /// The numbers of the next records, in a rewritten journal.
        case sequences = 23
        /// Users whom the destination does not take, in a rewritten journal.
        case skipped = 24
        /// What of a sync's configuration is needed once it is gone.
        case terms = 25
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
