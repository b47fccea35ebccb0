import Basics

@testable import Sync

/// Watches a simulation and writes down every broken promise.
struct SimulationChecker {
    private struct Key: Hashable {
        var sync: String
        var user: String
    }

    var problems: [String] = []
    /// Syncs that call users by their property.
    var named: Set<String> = []
    /// Syncs that send again what is known to be there.
    var repeating: Set<String> = []
    /// Syncs without members, whoever is in their cohort.
    var deleted: Set<String> = [] {
        didSet {
            for sync in deleted.symmetricDifference(oldValue) { forget(sync) }
        }
    }
    /// How long a sender waits.
    let timeout: Int64
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
    /// How many requests were answered with success.
    private(set) var deliveries = 0
    /// Of each run under way: who was delivered and who skipped.
    private var runs: [String: (delivered: UInt64, skipped: UInt64)] = [:]
    /// How many runs ended.
    private(set) var runsEnded = 0

    init(timeout: Int64) {
        self.timeout = timeout
    }

    /// An intent became durable.
    private mutating func planned(_ record: JournalRecord, _ partitions: [SimulatedPartition]) {
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
                if open[header.messageID] != nil {
                    problems.append("I13: message \(header.messageID) is planned twice")
                }
                open[header.messageID] = []
                var holders: [PartitionID: Set<String>] = [:]
                func isMember(_ user: String, _ id: PartitionID, at offset: Offset) -> Bool {
                    if deleted.contains(header.syncID) { return false }
                    let partition = partitions[Int(id)]
                    guard named.contains(header.syncID) else {
                        return partition.isMember(user, of: header.cohortID, at: offset)
                    }
                    let names = holders[id] ?? partition.names(of: header.cohortID, at: offset)
                    holders[id] = names
                    return names.contains(user)
                }
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
                    if isMember(user.string, partition, at: cut.offset) != (operation == .enter) {
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
                        if isMember(user.string, PartitionID(id), at: known.offset) {
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
        var body = WebhookBody.render(request)
        body += request.origins.flatMap { "\($0.partition)/\($0.sequence);".utf8 }
        if let earlier = bodies[request.messageID], earlier != body {
            problems.append("message \(request.messageID) has two bodies")
        }
        bodies[request.messageID] = body
        if inFlight[request.syncID] != nil {
            problems.append("\(request.syncID) has two requests in flight")
        }
        inFlight[request.syncID] = request
        let users = request.users.texts
        let sorted =
            users.prefix(request.exitCount).sorted { $0.precedesByBytes($1) }
            + users.dropFirst(request.exitCount).sorted { $0.precedesByBytes($1) }
        if users.isEmpty || users.count > 1000 || users != sorted
            || Set(users).count != users.count
        {
            problems.append("users of \(request.messageID): \(users)")
        }
        for (place, user) in users.enumerated() {
            let key = Key(sync: request.syncID, user: user)
            let operation: Sync.Operation = place < request.exitCount ? .exit : .enter
            if let newest = newestTick[key], request.tick < newest {
                problems.append("time goes back for \(user) of \(request.syncID)")
            }
            newestTick[key] = request.tick
            let opposite: Sync.Operation = operation == .enter ? .exit : .enter
            if let since = unknownAt[opposite]?[key], time < since + 2 * timeout {
                problems.append(
                    "\(operation) of \(user) \(time - since) ms after an unknown \(opposite)"
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
        let keys = request.users.texts.map { Key(sync: request.syncID, user: $0) }
        func operation(_ place: Int) -> Sync.Operation {
            place < request.exitCount ? .exit : .enter
        }
        switch outcome {
        case .delivered:
            deliveries += 1
            for (place, key) in keys.enumerated() { confirm(key, operation(place)) }
        case .settled(let outcomes, _, _, _):
            for (place, key) in keys.enumerated() {
                switch outcomes.outcomes[place] {
                case .delivered, .accepted: confirm(key, operation(place))
                case .unknown: doubt([key], operation(place), at: time)
                case .skipped, .notApplied: break
                }
            }
        case .retriable(_, _, false):
            for (place, key) in keys.enumerated() { doubt([key], operation(place), at: time) }
        case .gone:
            // Nobody is on the next list, and what was sent to the old one does not matter.
            for key in confirmed.keys where key.sync == request.syncID { confirmed[key] = nil }
            for operation in unknownAt.keys {
                unknownAt[operation] = unknownAt[operation]?.filter {
                    $0.key.sync != request.syncID
                }
            }
        default: break
        }
    }

    /// The destination said that a user's operation was applied.
    private mutating func confirm(_ key: Key, _ operation: Sync.Operation) {
        defer { confirmed[key] = operation }
        guard !repeating.contains(key.sync) else { return }
        if confirmed[key] == operation {
            repeats[key, default: 0] += 1
            // Each unknown outcome may cost one repetition at once, and one more when its opposite was confirmed.
            if repeats[key, default: 0] > 2 * ambiguous[key, default: 0] {
                problems.append("I6: \(operation) of \(key) repeated without need")
            }
        } else if confirmed[key] == nil, operation == .exit, ambiguous[key, default: 0] == 0 {
            problems.append("I6: \(key) exits without ever having entered")
        }
    }

    /// These records are durable now, and so are the results among them.
    mutating func committed(
        _ records: some Sequence<JournalRecord>,
        _ partitions: [SimulatedPartition]
    ) {
        for record in records {
            if record.type == JournalRecord.Kind.batch.rawValue { planned(record, partitions) }
            do {
                try record.payload.withByteView { (view) throws(SyncJournalError) in
                    var decoder = JournalDecoder(type: record.type, payload: view)
                    try committed(JournalRecord.Kind(rawValue: record.type), &decoder)
                }
            } catch {
                problems.append("a record cannot be read: \(error)")
            }
        }
    }

    private mutating func committed(
        _ kind: JournalRecord.Kind?,
        _ decoder: inout JournalDecoder
    ) throws(SyncJournalError) {
        switch kind {
        case .delivered, .withdrawn, .settled:
            let sync = try decoder.text()
            let message = try decoder.text()
            guard let batch = open.removeValue(forKey: message) else {
                problems.append("I13: message \(message) has two results")
                return
            }
            _ = try decoder.flag()
            if kind == .delivered { runs[sync]?.delivered += UInt64(batch.count) }
            guard kind == .settled else { return }
            for outcome in try decoder.outcomes().outcomes {
                switch outcome {
                case .delivered, .accepted: runs[sync]?.delivered += 1
                case .skipped: runs[sync]?.skipped += 1
                case .notApplied, .unknown: break
                }
            }
        case .relisted:
            let sync = try decoder.text()
            open = open.filter { $0.value.first?.user.sync != sync }
        case .runBegun:
            let sync = try decoder.text()
            _ = try decoder.instant()
            _ = try decoder.instant()
            let delivered = UInt64(try decoder.userCount())
            runs[sync] = (delivered, UInt64(try decoder.userCount()))
        case .runEnded:
            let sync = try decoder.text()
            _ = try decoder.instant()
            _ = try decoder.text()
            let delivered = UInt64(try decoder.userCount())
            let skipped = UInt64(try decoder.userCount())
            runsEnded += 1
            guard let run = runs.removeValue(forKey: sync) else {
                problems.append("I13: a run of \(sync) ends twice")
                return
            }
            if run != (delivered, skipped) {
                problems.append("I13: run of \(sync) says \(delivered), \(skipped) and was \(run)")
            }
        default: break
        }
    }

    /// The state was written as a whole, with all results that came so far.
    mutating func rewritten(_ records: [JournalRecord]) {
        do {
            var messages: Set<String> = []
            runs = [:]
            for record in records {
                try record.payload.withByteView { (view) throws(SyncJournalError) in
                    var decoder = JournalDecoder(type: record.type, payload: view)
                    switch JournalRecord.Kind(rawValue: record.type) {
                    case .batch: messages.insert(try decoder.batchHeader(.batch).messageID)
                    case .runBegun: try committed(.runBegun, &decoder)
                    default: break
                    }
                }
            }
            open = open.filter { messages.contains($0.key) }
        } catch {
            problems.append("a rewritten record cannot be read: \(error)")
        }
    }

    /// Everything is at rest: no batch may be without a result.
    mutating func finished() {
        for message in open.keys.sorted() { problems.append("I13: \(message) has no result") }
    }

    /// The sync begins anew, or ends: what was sent before may be sent again.
    private mutating func forget(_ sync: String) {
        for key in confirmed.keys where key.sync == sync { ambiguous[key, default: 0] += 1 }
        for key in newestEnter.keys where key.sync == sync { newestEnter[key] = nil }
    }

    /// Nobody knows any more how the batches without a durable result ended.
    mutating func crashed(at time: Int64) {
        for message in open.keys.sorted() {
            guard let batch = open[message] else { continue }
            for item in batch { doubt([item.user], item.operation, at: time) }
        }
        inFlight = [:]
    }

    private mutating func doubt(_ users: [Key], _ operation: Sync.Operation, at time: Int64) {
        for user in users {
            ambiguous[user, default: 0] += 1
            unknownAt[operation, default: [:]][user] = time
        }
    }
}
