import Basics

@testable import Sync

/// Watches a simulation and writes down every broken promise.
struct SimulationChecker {
    private struct Key: Hashable {
        var sync: String
        var user: String
    }

    var problems: [String] = []
    private var bodies: [String: [UInt8]] = [:]
    private var newestCut: [PartitionID: Cut] = [:]
    private var newestTick: [Key: EventTime] = [:]
    private var confirmed: [Key: Sync.Operation] = [:]
    private var repeats: [Key: Int] = [:]
    private var ambiguous: [Key: Int] = [:]
    private var inFlight: [String: DeliveryRequest] = [:]
    /// Batches without a durable result.
    private var open: [String: [Key]] = [:]
    private var unwrittenResults: [String] = []
    /// How many requests were answered with success.
    private(set) var deliveries = 0

    /// An intent became durable.
    mutating func planned(_ record: JournalRecord, _ partitions: [SimulatedPartition]) {
        do {
            try record.payload.withByteView { (view) throws(SyncJournalError) in
                var decoder = JournalDecoder(type: record.type, payload: view)
                let header = try decoder.intentHeader()
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
                    open[header.messageID]?.append(Key(sync: header.syncID, user: user.string))
                    guard let cut = cuts[partition] else { return }
                    if cut.tick != header.tick {
                        problems.append("\(header.messageID) mixes ticks")
                    }
                    let isMember = partitions[Int(partition)]
                        .isMember(user.string, of: header.cohortID, at: cut.offset)
                    if isMember != (header.operation == .enter) {
                        problems.append(
                            "\(header.operation) of \(user.string) against \(partition) at \(cut)"
                        )
                    }
                }
            }
        } catch {
            problems.append("an intent cannot be read: \(error)")
        }
    }

    mutating func sent(_ request: DeliveryRequest) {
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
        }
    }

    mutating func answered(_ request: DeliveryRequest, _ outcome: DeliveryOutcome) {
        inFlight[request.syncID] = nil
        switch outcome {
        case .delivered:
            deliveries += 1
            unwrittenResults.append(request.messageID)
            for user in request.users.texts {
                let key = Key(sync: request.syncID, user: user)
                if confirmed[key] == request.operation {
                    repeats[key, default: 0] += 1
                    if repeats[key, default: 0] > ambiguous[key, default: 0] {
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
            doubt(request.users.texts.map { Key(sync: request.syncID, user: $0) })
        default: break
        }
    }

    /// Records that were handed out are durable now, and so are the results among them.
    mutating func committed(_ records: [JournalRecord]) {
        for message in unwrittenResults { open[message] = nil }
        unwrittenResults = []
        for record in records where record.type == JournalRecord.Kind.withdrawn.rawValue {
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

    /// Nobody knows any more how the batches without a durable result ended.
    mutating func crashed() {
        for message in open.keys.sorted() {
            doubt(open[message] ?? [])
        }
        inFlight = [:]
        unwrittenResults = []
    }

    private mutating func doubt(_ users: [Key]) {
        for user in users { ambiguous[user, default: 0] += 1 }
    }
}
