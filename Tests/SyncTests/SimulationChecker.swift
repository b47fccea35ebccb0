import Basics

@testable import Sync

/// Watches a simulation and writes down every broken promise.
struct SimulationChecker {
    private struct Key: Hashable {
        var sync: String
        var user: String
    }

    var problems: [String] = []
    /// The process in which a sync began.
    var began: [String: Int] = [:]
    private var bodies: [String: [UInt8]] = [:]
    private var newestCut: [PartitionID: Cut] = [:]
    private var newestTick: [Key: EventTime] = [:]
    private var newestEnter: [Key: EventTime] = [:]
    private var confirmed: [Key: Sync.Operation] = [:]
    private var repeats: [Key: Int] = [:]
    private var ambiguous: [Key: Int] = [:]
    /// When an attempt last ended with an unknown outcome, by operation.
    private var unknownAt: [Sync.Operation: [Key: Int64]] = [:]
    private var inFlight: [String: DeliveryRequest] = [:]
    /// Batches without a durable result.
    private var open: [String: [(operation: Sync.Operation, user: Key)]] = [:]
    /// Messages that were answered with success by this process.
    private var delivered: [String] = []
    /// How many requests were answered with success.
    private(set) var deliveries = 0

    /// An intent became durable.
    mutating func planned(_ record: JournalRecord, _ partitions: [SimulatedPartition]) {
        do {
            try record.payload.withByteView { (view) throws(SyncJournalError) in
                var decoder = JournalDecoder(type: record.type, payload: view)
                let header = try decoder.batchHeader(.batch)
                for item in header.cuts {
                    let newest = newestCut[item.partition] ?? .origin
                    if item.cut.offset < newest.offset || item.cut.tick < newest.tick {
                        problems.append("I7: planned from \(item) after \(newest)")
                    }
                    newestCut[item.partition] = item.cut
                    if case .unavailable = partitions[Int(item.partition)].phase {
                        problems.append("I11: planned from unavailable partition \(item.partition)")
                    }
                }
                var cuts: [PartitionID: Cut] = [:]
                for item in header.cuts { cuts[item.partition] = item.cut }
                open[header.messageID] = []
                try decoder.users(of: header.cuts.map(\.partition)) { user, partition in
                    let place = open[header.messageID]?.count ?? 0
                    let operation: Sync.Operation =
                        place < header.exitCount ?? 0 ? .exit : .enter
                    open[header.messageID]?.append(
                        (operation, Key(sync: header.syncID, user: user.string))
                    )
                    guard let cut = cuts[partition] else { return }
                    if cut.tick != header.tick {
                        problems.append("\(header.messageID) mixes ticks")
                    }
                    let isMember = partitions[Int(partition)]
                        .isMember(user.string, of: header.cohortID, at: cut.offset)
                    if isMember != (operation == .enter) {
                        problems.append(
                            "\(operation) of \(user.string) against \(partition) at \(cut)"
                        )
                    }
                    let key = Key(sync: header.syncID, user: user.string)
                    guard operation == .exit else {
                        newestEnter[key] = header.tick
                        return
                    }
                    for (id, other) in partitions.enumerated() {
                        if case .repeating = other.phase { continue }
                        // A sync that is younger cannot know.
                        if other.lastKnownIn < began[header.syncID] ?? 0 { continue }
                        let known = cuts[PartitionID(id)] ?? other.lastKnown
                        // What was only waiting to be sent is not in the journal.
                        if known.tick < newestEnter[key] ?? .distantPast { continue }
                        if other.isMember(user.string, of: header.cohortID, at: known.offset) {
                            problems.append(
                                "I11: \(header.syncID): exit of \(user.string), whom \(id) counts in at \(known)"
                            )
                        }
                    }
                }
            }
        } catch {
            problems.append("an intent cannot be read: \(error)")
        }
    }

    mutating func sent(_ request: DeliveryRequest, at time: Int64) {
        let body = WebhookBody.render(request)
        if let earlier = bodies[request.messageID], earlier != body {
            problems.append("message \(request.messageID) has two bodies")
        }
        bodies[request.messageID] = body
        if inFlight[request.syncID] != nil {
            problems.append("\(request.syncID) has two requests in flight")
        }
        inFlight[request.syncID] = request
        let users = request.users.texts
        if users.isEmpty || users.count > 1000
            || users != users.sorted(by: { $0.precedesByBytes($1) })
            || Set(users).count != users.count
        {
            problems.append("users of \(request.messageID): \(users)")
        }
        for user in users {
            let key = Key(sync: request.syncID, user: user)
            if let newest = newestTick[key], request.tick < newest {
                problems.append("time goes back for \(user) of \(request.syncID)")
            }
            newestTick[key] = request.tick
            let opposite: Sync.Operation = request.operation == .enter ? .exit : .enter
            if let since = unknownAt[opposite]?[key],
                time < since + 2 * request.timeoutMilliseconds
            {
                problems.append(
                    "\(request.operation) of \(user) \(time - since) ms after an unknown \(opposite)"
                )
            }
        }
    }

    mutating func answered(
        _ request: DeliveryRequest,
        _ outcome: DeliveryOutcome,
        at time: Int64
    ) {
        inFlight[request.syncID] = nil
        switch outcome {
        case .delivered:
            deliveries += 1
            delivered.append(request.messageID)
            for user in request.users.texts {
                let key = Key(sync: request.syncID, user: user)
                if confirmed[key] == request.operation {
                    repeats[key, default: 0] += 1
                    // Each unknown outcome may cost one repetition at once, and one more when its opposite
                    // was confirmed.
                    if repeats[key, default: 0] > 2 * ambiguous[key, default: 0] {
                        problems.append("I6: \(request.operation) of \(user) repeated without need")
                    }
                } else if confirmed[key] == nil, request.operation == .exit,
                    ambiguous[key, default: 0] == 0
                {
                    problems.append("I6: \(user) exits without ever having entered")
                }
                confirmed[key] = request.operation
            }
        case .retriable(_, _, false):
            doubt(
                request.users.texts.map { Key(sync: request.syncID, user: $0) },
                request.operation,
                at: time
            )
        default: break
        }
    }

    /// These records are durable now, and so are the results among them.
    mutating func committed(_ records: some Sequence<JournalRecord>) {
        for record in records where [3, 4, 13].contains(record.type) {
            do {
                try record.payload.withByteView { (view) throws(SyncJournalError) in
                    var decoder = JournalDecoder(type: record.type, payload: view)
                    _ = try decoder.text()
                    open[try decoder.text()] = nil
                }
            } catch {
                problems.append("a result cannot be read: \(error)")
            }
        }
    }

    /// The state was written as a whole, with all results that came so far.
    mutating func rewritten() {
        for message in delivered { open[message] = nil }
        delivered = []
    }

    /// Nobody knows any more how the batches without a durable result ended.
    mutating func crashed(at time: Int64) {
        for message in open.keys.sorted() {
            guard let batch = open[message] else { continue }
            for item in batch { doubt([item.user], item.operation, at: time) }
        }
        inFlight = [:]
        delivered = []
    }

    private mutating func doubt(_ users: [Key], _ operation: Sync.Operation, at time: Int64) {
        for user in users {
            ambiguous[user, default: 0] += 1
            unknownAt[operation, default: [:]][user] = time
        }
    }
}
