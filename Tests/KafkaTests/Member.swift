import Basics
import Foundation
import Kafka
import Synchronization
import Testing

/// A consumer with the threads a daemon would give it, that keeps everything it sees.
///
/// `@unchecked Sendable`: what changes is behind `state`'s lock.
final class Member: @unchecked Sendable {
    struct Record: Equatable {
        let offset: Offset
        let timestamp: Int64?
        let key: [UInt8]?
        let value: [UInt8]?
        let headers: [RecordHeader]

        var text: String { value.map { String(decoding: $0, as: UTF8.self) } ?? "null" }
    }

    enum Event: Equatable {
        case assigned([PartitionID])
        case revoked([PartitionID], isLost: Bool)
    }

    struct State {
        var records: [PartitionID: [Record]] = [:]
        /// Those of the companion's partitions.
        var companionRecords: [PartitionID: [Record]] = [:]
        var companionEnds: [PartitionID: Offset] = [:]
        /// The queue that each record, end or failure of a partition came through.
        var queueOfPartition: [PartitionID: Set<Int>] = [:]
        var ends: [PartitionID: Offset] = [:]
        var failures: [PartitionID: [KafkaError]] = [:]
        var startsAsked: [PartitionID] = []
        var events: [Event] = []
        var errors: [KafkaError] = []
        var log: [ClientLogLine] = []
        var isStopping = false
        var running = 0
    }

    let consumer: Consumer
    private let state: Shared

    final class Shared: Sendable {
        let value = Mutex(State())
    }

    /// Joins the group and starts its threads; `start` is asked for the offset of each partition.
    init(
        bootstrap: String,
        topic: String,
        group: String,
        instance: String? = nil,
        threads: Int = 2,
        properties: [String: String] = [:],
        companion: String? = nil,
        start: @escaping @Sendable (PartitionID) -> StartPosition = { _ in .offset(0) },
        companionStart: @escaping @Sendable (PartitionID) -> Offset? = { _ in 0 }
    ) throws {
        let state = Shared()
        self.state = state
        let common = [
            "bootstrap.servers": bootstrap, "session.timeout.ms": "6000",
            "heartbeat.interval.ms": "500", "reconnect.backoff.max.ms": "250",
        ]
        consumer = try Consumer(
            ConsumerSettings(
                properties: common.merging(properties) { $1 },
                groupID: group,
                groupInstanceID: instance,
                clientID: "kafka-tests",
                topic: topic,
                companion: companion,
                threads: threads
            ),
            ConsumerEvents(
                startPosition: { partition in
                    state.value.withLock { $0.startsAsked.append(partition) }
                    return start(partition)
                },
                companionPosition: companionStart,
                assigned: { partitions in
                    state.value.withLock { $0.events.append(.assigned(partitions)) }
                },
                revoked: { partitions, isLost in
                    state.value.withLock { $0.events.append(.revoked(partitions, isLost: isLost)) }
                },
                failed: { error in state.value.withLock { $0.errors.append(error) } },
                log: { line in state.value.withLock { $0.log.append(line) } }
            )
        )
        run { member in member.consumer.pollControl(timeoutMilliseconds: 50) }
        for index in 0..<threads {
            run { member in
                _ = member.consumer.queues[index].consume(timeoutMilliseconds: 50) { record in
                    member.take(record, index)
                }
            }
        }
    }

    var seen: State { state.value.withLock { $0 } }

    var count: Int { seen.records.values.reduce(0) { $0 + $1.count } }

    func forget() {
        state.value.withLock { state in
            state.records = [:]
            state.companionRecords = [:]
            state.companionEnds = [:]
            state.ends = [:]
            state.failures = [:]
            state.errors = []
            state.events = []
        }
    }

    /// Ends the threads, then closes the consumer.
    func close() async throws -> Bool {
        state.value.withLock { $0.isStopping = true }
        for queue in consumer.queues { queue.wake() }
        try await eventually("the member's threads end") { seen.running == 0 }
        return consumer.close(timeoutMilliseconds: 20_000)
    }

    private func run(_ turn: @escaping @Sendable (Member) -> Void) {
        state.value.withLock { $0.running += 1 }
        Thread.detachNewThread { [self] in
            while state.value.withLock({ !$0.isStopping }) { turn(self) }
            state.value.withLock { $0.running -= 1 }
        }
    }

    private func take(_ view: borrowing RecordView, _ queue: Int) {
        let partition = view.partition
        let record = Record(
            offset: view.offset,
            timestamp: view.timestamp,
            key: view.key?.array,
            value: view.value?.array,
            headers: view.isRecord ? view.headers : []
        )
        let content = view.content
        let isOfCompanion = view.isOfCompanion
        state.value.withLock { state in
            state.queueOfPartition[partition, default: []].insert(queue)
            if isOfCompanion {
                switch content {
                case .record: state.companionRecords[partition, default: []].append(record)
                case .endOfPartition: state.companionEnds[partition] = record.offset
                case .failure(let error): state.errors.append(error)
                }
                return
            }
            switch content {
            case .record: state.records[partition, default: []].append(record)
            case .endOfPartition: state.ends[partition] = record.offset
            case .failure(let error): state.failures[partition, default: []].append(error)
            }
        }
    }
}
