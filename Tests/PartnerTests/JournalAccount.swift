import Basics

@testable import Sync

/// Where the users of all planned batches went, by the journal: each batch has one end, and each user is delivered,
/// skipped, superseded or pending.
struct JournalAccount {
    private(set) var problems: [String] = []
    private var open: [String: (sync: String, users: Int)] = [:]
    private var planned = 0
    private var delivered = 0
    private var skipped = 0
    private var superseded = 0

    init(_ journal: [JournalRecord]) {
        do {
            for record in journal { try take(record) }
        } catch {
            problems.append("a record cannot be read: \(error)")
        }
        if !open.isEmpty { problems.append("\(open.count) batches have no end") }
        let pending = open.values.reduce(0) { $0 + $1.users }
        let sum = delivered + pending + skipped + superseded
        if planned != sum {
            problems.append("\(planned) users were planned, \(sum) are accounted for")
        }
    }

    private mutating func take(_ record: JournalRecord) throws(SyncJournalError) {
        try record.payload.withByteView { (view) throws(SyncJournalError) in
            var decoder = JournalDecoder(type: record.type, payload: view)
            switch JournalRecord.Kind(rawValue: record.type) {
            case .batch: try begin(&decoder)
            case .delivered: delivered += try end(&decoder)
            case .withdrawn: superseded += try end(&decoder)
            case .settled:
                let users = try end(&decoder)
                _ = try decoder.flag()
                count(try decoder.outcomes(), of: users)
            case .relisted:
                let sync = try decoder.text()
                for (message, batch) in open where batch.sync == sync {
                    open[message] = nil
                    superseded += batch.users
                }
            default: break
            }
        }
    }

    private mutating func begin(_ decoder: inout JournalDecoder) throws(SyncJournalError) {
        let header = try decoder.batchHeader(.batch)
        var users = 0
        try decoder.users(of: header.cuts.map(\.partition)) { _, _ in users += 1 }
        let former = open.updateValue((header.syncID, users), forKey: header.messageID)
        if former != nil { problems.append("\(header.messageID) is planned twice") }
        planned += users
    }

    /// Ends a batch; how many users it had.
    private mutating func end(_ decoder: inout JournalDecoder) throws(SyncJournalError) -> Int {
        _ = try decoder.text()
        let message = try decoder.text()
        guard let batch = open.removeValue(forKey: message) else {
            problems.append("\(message) ends, and was not open")
            return 0
        }
        return batch.users
    }

    private mutating func count(_ outcomes: UserOutcomes, of users: Int) {
        if outcomes.outcomes.count != users {
            problems.append("\(outcomes.outcomes.count) outcomes of \(users) users")
        }
        for outcome in outcomes.outcomes {
            switch outcome {
            case .delivered, .accepted: delivered += 1
            case .skipped: skipped += 1
            // Whoever was not taken is planned anew, or not wanted any more.
            case .notApplied, .unknown: superseded += 1
            }
        }
    }
}
