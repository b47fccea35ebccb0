internal import Basics
internal import CRdKafka
internal import Synchronization
internal import Threads

/// The conversation of a consumer with its group and its owner: what is ours, and where each partition was
/// started.
///
/// Rebalances use the eager protocol ("range"): everything is revoked, then the new assignment given.
///
/// `@unchecked Sendable`: `state` is behind its lock, which is never held while the owner or the client
/// is called; `settings` and `events` are immutable.
final class Conversation: @unchecked Sendable {
    /// Sends what arrives for a partition of a topic to a queue.
    typealias Forwarding = @Sendable (PartitionID, String, OpaquePointer) -> Bool

    private struct State {
        /// What is ours, each with the offset it is read from; nil is held.
        var started: [PartitionID: Offset?] = [:]
        /// The companion's partitions that are read, each with the offset it is read from.
        var companions: [PartitionID: Offset] = [:]
        /// What is paused in the client, ours or not.
        var paused: Set<TopicPartition> = []
        /// Whether nothing is to flow: the client has none of what is ours, whatever else happens.
        var isHeld = false
        var queues: [Forwarding] = []
        var reachability = Reachability()
        var hasEnded = false
        var hasFailedFatally = false
    }

    let settings: ConsumerSettings
    private let events: ConsumerEvents
    private let state = Mutex(State())

    init(_ settings: ConsumerSettings, _ events: ConsumerEvents) {
        self.settings = settings
        self.events = events
    }

    var reachability: Reachability { state.withLock { $0.reachability } }
    var assignment: [PartitionID] { state.withLock { $0.started.keys.sorted() } }

    func deal(to queues: [Forwarding]) {
        state.withLock { $0.queues = queues }
    }

    /// Tells the owner nothing more.
    func end() {
        state.withLock { $0.hasEnded = true }
    }

    func answered() {
        let now = SystemClock().monotonicMilliseconds
        state.withLock { $0.reachability.answered(at: now) }
    }

    func failed(_ error: KafkaError) {
        let isNews = state.withLock { state in
            if error.kind == .allBrokersDown { state.reachability.isEverythingDown = true }
            // A fatal error is said by every call from then on; once is enough.
            if error.isFatal, state.hasFailedFatally { return false }
            if error.isFatal { state.hasFailedFatally = true }
            return !state.hasEnded
        }
        if isNews { events.failed(error) }
    }

    func committed(_ code: rd_kafka_resp_err_t) {
        if code == RD_KAFKA_RESP_ERR_NO_ERROR { return answered() }
        if code == RD_KAFKA_RESP_ERR__NO_OFFSET { return }
        let error = KafkaError(
            code,
            "offsets of group \(settings.groupID) were not written, lag dashboards will be late"
        )
        // The group's rights are gone: nothing else would say so while we are in it.
        if error.kind == .authorization { return failed(error) }
        events.log(ClientLogLine(level: 5, facility: "COMMIT", text: error.description))
    }

    /// Stops the flow of a partition; what is queued of it is dropped and comes again when it goes on.
    func pause(_ place: TopicPartition, _ client: OpaquePointer) throws(KafkaError) {
        state.withLock { _ = $0.paused.insert(place) }
        try change(place, "paused", client, rd_kafka_pause_partitions)
    }

    func resume(_ place: TopicPartition, _ client: OpaquePointer) throws(KafkaError) {
        // Only what is paused: 2.0.2 repeats records of a partition that was flowing.
        let isPaused = state.withLock { $0.paused.remove(place) != nil }
        if isPaused { try change(place, "resumed", client, rd_kafka_resume_partitions) }
    }

    /// Lets nothing flow until ``release(_:)``, whatever is assigned meanwhile.
    func hold(_ client: OpaquePointer) throws(KafkaError) {
        if state.withLock({ $0.isHeld }) { return }
        let (started, companions) = try positions(client)
        // Held also where stopping fails half-way: then ``release(_:)`` gives back what the client lost.
        state.withLock {
            $0.isHeld = true
            $0.started = started
            $0.companions = companions
        }
        try stop(client)
    }

    /// Lets flow what is ours by now, each from where it was.
    func release(_ client: OpaquePointer) throws(KafkaError) {
        let (wasHeld, started, companions) = state.withLock { state in
            defer { state.isHeld = false }
            return (state.isHeld, state.started, state.companions)
        }
        if wasHeld { apply(started, companions, client) }
    }

    /// The partition of the topic.
    func place(_ partition: PartitionID) -> TopicPartition {
        TopicPartition(topic: settings.topic, partition: partition)
    }

    /// Lets nothing follow a damaged batch, behind which the client would go on by itself.
    func stopAtDamage(
        _ partition: PartitionID,
        ofCompanion: Bool,
        _ client: OpaquePointer
    ) {
        let topic = ofCompanion ? settings.companion ?? settings.topic : settings.topic
        do {
            try pause(TopicPartition(topic: topic, partition: partition), client)
        } catch {
            failed(error)
        }
    }

    private func change(
        _ place: TopicPartition,
        _ verb: String,
        _ client: OpaquePointer,
        _ call: (OpaquePointer, UnsafeMutablePointer<rd_kafka_topic_partition_list_t>) ->
            rd_kafka_resp_err_t
    ) throws(KafkaError) {
        try PartitionList.with([(place, 0)]) { list throws(KafkaError) in
            let code = call(client, list)
            let own = PartitionList.entries(list).first?.code ?? code
            for code in [code, own] where code != RD_KAFKA_RESP_ERR_NO_ERROR {
                throw KafkaError(code, "\(place.topic)/\(place.partition) cannot be \(verb)")
            }
        }
    }

    func rebalance(
        _ client: OpaquePointer,
        _ event: rd_kafka_resp_err_t,
        _ list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>
    ) {
        let partitions = PartitionList.entries(list).filter { $0.topic == settings.topic }
            .map(\.partition).sorted()
        let hasEnded = state.withLock { $0.hasEnded }
        if event == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS, !hasEnded {
            answered()
            assign(partitions, client)
        } else {
            if event != RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
                revoke(partitions, isLost: rd_kafka_assignment_lost(client) != 0)
            }
            let code = rd_kafka_assign(client, nil)
            if code != RD_KAFKA_RESP_ERR_NO_ERROR {
                failed(KafkaError(code, "cannot give up the partitions of \(settings.topic)"))
            }
        }
    }

    /// Begins to read partitions that are ours now, each from where the owner says.
    func assign(_ partitions: [PartitionID], _ client: OpaquePointer) {
        var started: [PartitionID: Offset?] = [:]
        for partition in partitions {
            switch events.startPosition(partition) {
            case .offset(let offset):
                precondition(offset >= 0, "start offset \(offset) of partition \(partition)")
                started[partition] = .some(offset)
            case .hold:
                started[partition] = .some(nil)
            }
        }
        let companions = companionPositions(of: started)
        state.withLock { [started] in
            $0.started = started
            $0.companions = companions
        }
        events.assigned(partitions)
        do {
            // A pause outlives the assignment it was made in.
            for place in reading(started, companions).map(\.0) { try resume(place, client) }
        } catch {
            failed(error)
        }
        apply(started, companions, client)
    }

    /// Where the owner wants the companions of what is read to start.
    private func companionPositions(
        of started: [PartitionID: Offset?]
    ) -> [PartitionID: Offset] {
        guard settings.companion != nil else { return [:] }
        var companions: [PartitionID: Offset] = [:]
        for (partition, start) in started where start != nil {
            companions[partition] = events.companionPosition(partition)
        }
        return companions
    }

    /// What is read, each with the offset it starts at, by topic and number.
    private func reading(
        _ started: [PartitionID: Offset?],
        _ companions: [PartitionID: Offset]
    ) -> [(TopicPartition, Offset)] {
        let own = started.compactMap { partition, start in
            start.map { (place(partition), $0) }
        }
        guard let companion = settings.companion else {
            return own.sorted { $0.0.partition < $1.0.partition }
        }
        let others = companions.map {
            (TopicPartition(topic: companion, partition: $0.key), $0.value)
        }
        return own.sorted { $0.0.partition < $1.0.partition }
            + others.sorted { $0.0.partition < $1.0.partition }
    }

    private func revoke(_ partitions: [PartitionID], isLost: Bool) {
        let tells = state.withLock { !$0.hasEnded }
        if tells { events.revoked(partitions, isLost) }
        state.withLock {
            $0.started = [:]
            $0.companions = [:]
        }
    }

    /// Makes `partition` be read from `offset`, whatever state it is in.
    ///
    /// The client cannot restart one partition alone: after an offset that is out of range it refuses to
    /// seek, and with eager rebalancing it takes whole assignments only. So all are assigned anew, the
    /// others from the record after the last that was handed out.
    func restart(
        _ partition: PartitionID,
        at offset: Offset,
        companionAt companionOffset: Offset?,
        _ client: OpaquePointer
    ) throws(KafkaError) {
        let known = state.withLock { $0.started }
        guard known[partition] != nil else {
            throw KafkaError(
                RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION,
                "\(settings.topic)/\(partition)",
                detail: "the partition is not ours and cannot be restarted"
            )
        }
        var (started, companions) = try positions(client)
        started[partition] = .some(offset)
        var resuming = [place(partition)]
        if let companion = settings.companion, let companionOffset {
            companions[partition] = companionOffset
            resuming.append(TopicPartition(topic: companion, partition: partition))
        }
        try reassign(started, companions, resuming: resuming, client)
    }

    /// Begins to read the companions of what is read, where the owner says, those that flow already going on.
    func startCompanions(_ client: OpaquePointer) throws(KafkaError) {
        let (started, companions) = try positions(client)
        let wanted = companionPositions(of: started).merging(companions) { $1 }
        if wanted.keys == companions.keys { return }
        try reassign(started, wanted, resuming: [], client)
    }

    /// Where everything that is read goes on: after the last that was handed out.
    private func positions(
        _ client: OpaquePointer
    ) throws(KafkaError) -> (started: [PartitionID: Offset?], companions: [PartitionID: Offset]) {
        var (isHeld, started, companions) = state.withLock {
            ($0.isHeld, $0.started, $0.companions)
        }
        let read = reading(started, companions)
        // What the client has not got it knows no position of, or one of before.
        if isHeld || read.isEmpty { return (started, companions) }
        let positions = try PartitionList.with(read) { list throws(KafkaError) in
            let code = rd_kafka_position(client, list)
            if code != RD_KAFKA_RESP_ERR_NO_ERROR {
                throw KafkaError(code, "the positions in \(settings.topic) are unknown")
            }
            return PartitionList.entries(list)
        }
        // Nothing handed out yet leaves no position: then the start still holds.
        for entry in positions where entry.offset >= 0 {
            if entry.topic == settings.topic {
                started[entry.partition] = entry.offset
            } else {
                companions[entry.partition] = entry.offset
            }
        }
        return (started, companions)
    }

    private func reassign(
        _ started: [PartitionID: Offset?],
        _ companions: [PartitionID: Offset],
        resuming places: [TopicPartition],
        _ client: OpaquePointer
    ) throws(KafkaError) {
        state.withLock {
            $0.started = started
            $0.companions = companions
        }
        try stop(client)
        for place in places { try resume(place, client) }
        apply(started, companions, client)
    }

    /// Takes every partition from the client.
    private func stop(_ client: OpaquePointer) throws(KafkaError) {
        // Stopping a partition ends its forwarding, and happens in the client's own thread after the call
        // that asks for it has returned. That thread takes its orders in turn: when the second call comes
        // back, the stops that the first one ordered are done.
        for _ in 0..<2 {
            let code = rd_kafka_assign(client, nil)
            if code != RD_KAFKA_RESP_ERR_NO_ERROR {
                throw KafkaError(code, "the partitions of \(settings.topic) cannot be stopped")
            }
        }
    }

    /// Forwards every partition that is read to its engine queue, then hands the assignment to the client.
    ///
    /// While everything is held that is an empty one.
    private func apply(
        _ started: [PartitionID: Offset?],
        _ companions: [PartitionID: Offset],
        _ client: OpaquePointer
    ) {
        let (queues, isHeld) = state.withLock { ($0.queues, $0.isHeld) }
        let read = isHeld ? [] : reading(started, companions)
        for (place, _) in read {
            let index = settings.queueIndex(place.partition)
            precondition(queues.indices.contains(index), "queue \(index) of \(queues.count)")
            // Before the assignment, or the first records would arrive in the main queue.
            if !queues[index](place.partition, place.topic, client) {
                return failed(
                    KafkaError(
                        RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION,
                        "\(place.topic)/\(place.partition)",
                        detail: "the client gives no queue for the partition",
                        isFatal: true
                    )
                )
            }
        }
        do {
            try PartitionList.with(read) { list throws(KafkaError) in
                let code = rd_kafka_assign(client, list)
                if code != RD_KAFKA_RESP_ERR_NO_ERROR {
                    throw KafkaError(code, "cannot read the partitions of \(settings.topic)")
                }
            }
        } catch {
            failed(error)
        }
    }
}
