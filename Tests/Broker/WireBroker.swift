import Foundation
import PartnerKit
import Synchronization

/// A small Kafka on loopback that a test scripts, down to the bytes: for what neither the in-process broker nor
/// a real one can be brought to do.
///
/// - It serves batches as they are given to it, right or wrong, and keeps what producers send.
/// - Its nodes can refuse connections, take them and never answer, or say what is no Kafka at all.
/// - Any answer can be an error, for a while or for good.
/// - A consumer group has one member at a time; offsets are not kept; topics are made by the test alone.
/// - It counts connections, requests, and the offsets that are fetched, to find whoever asks in a busy loop.
package final class WireBroker: Sendable {
    /// What a node does with those who connect.
    package enum Behaviour: Sendable, Equatable {
        /// Answers.
        case answering
        /// Takes connections and closes them at once, those that are there too.
        case refusing
        /// Takes connections and requests, and never answers: the other half of a connection that is gone.
        case silent
        /// Answers the first request with these bytes and closes.
        case saying([UInt8])
    }

    private let cluster: Shared
    private let servers: [LoopbackServer]

    /// The state of all nodes, which the threads of the connections share.
    private final class Shared: Sendable {
        let state = Mutex(WireCluster())
    }

    /// Starts the nodes; with a login they want it by SASL/PLAIN.
    package init(nodes: Int = 1, login: (user: String, password: String)? = nil) throws {
        let cluster = Shared()
        self.cluster = cluster
        servers = try (1...nodes).map { node in
            try LoopbackServer { Self.serve($0, cluster, node: Int32(node)) }
        }
        let ports = servers.map(\.port)
        cluster.state.withLock {
            $0.ports = ports
            $0.behaviours = ports.map { _ in .answering }
            $0.deafenings = ports.map { _ in 0 }
            $0.login = login
        }
    }

    deinit {
        behave(.refusing)
    }

    /// What clients set as `bootstrap.servers`: all nodes.
    package var bootstrapServers: String {
        servers.map { "127.0.0.1:\($0.port)" }.joined(separator: ",")
    }

    // MARK: What is in it

    /// Makes a topic, led by the first node.
    package func createTopic(_ name: String = "events", partitions: Int) {
        cluster.state.withLock {
            $0.topics[name] = [WireLog](repeating: WireLog(), count: partitions)
        }
    }

    /// Appends a batch and returns its first offset.
    @discardableResult
    package func append(
        _ batch: RecordBatch,
        to topic: String = "events",
        partition: Int32 = 0
    ) -> Int64 {
        change(topic, partition) { $0.append(batch) } ?? -1
    }

    /// Ends the transaction that a producer's batches began.
    package func endTransaction(
        of producerID: Int64,
        isCommitted: Bool,
        at timestamp: Int64,
        in topic: String = "events",
        partition: Int32 = 0
    ) {
        _ = change(topic, partition) {
            $0.endTransaction(of: producerID, isCommitted: isCommitted, timestamp: timestamp)
        }
    }

    /// Makes another node the leader of a partition.
    package func lead(_ topic: String = "events", partition: Int32, by node: Int) {
        _ = change(topic, partition) { $0.leader = Int32(node) }
    }

    private func change<Result: Sendable>(
        _ topic: String,
        _ partition: Int32,
        _ body: (inout WireLog) -> Result
    ) -> Result? {
        cluster.state.withLock { state in
            guard state.topics[topic]?.indices.contains(Int(partition)) ?? false else { return nil }
            return state.topics[topic].map { _ in
                // In place, so that a log is not copied for each of its batches.
                body(&state.topics[topic, default: []][Int(partition)])
            }
        }
    }

    // MARK: What goes wrong

    /// Changes what one node, or all of them, do with connections.
    package func behave(_ behaviour: Behaviour, node: Int? = nil) {
        cluster.state.withLock { state in
            for index in state.behaviours.indices where node == nil || node == index + 1 {
                state.behaviours[index] = behaviour
            }
        }
    }

    /// Never answers again on the connections that are there, of one node or all, and keeps them; new ones are
    /// answered.
    package func deafen(node: Int? = nil) {
        cluster.state.withLock { state in
            for index in state.deafenings.indices where node == nil || node == index + 1 {
                state.deafenings[index] += 1
            }
        }
    }

    /// Answers requests of a kind with an error from now on, those of one topic or all of them; so often, or until
    /// ``heal()``.
    package func fail(
        _ request: WireRequest,
        with code: Int16,
        topic: String? = nil,
        times: Int? = nil
    ) {
        cluster.state.withLock {
            $0.failures.append(.init(request: request, code: code, topic: topic, times: times))
        }
    }

    /// Takes all failures back.
    package func heal() {
        cluster.state.withLock { $0.failures = [] }
    }

    /// Lets somebody else come into every group under each static name that is in it.
    package func replaceStaticMembers() {
        cluster.state.withLock { state in
            for name in state.groups.keys { state.groups[name]?.replaceStaticMembers() }
        }
    }

    // MARK: What was asked

    /// Connections that were made to a node so far.
    package func connectionCount(node: Int = 1) -> Int { servers[node - 1].connectionCount }

    /// Requests of a kind so far.
    package func count(of request: WireRequest) -> Int {
        cluster.state.withLock { $0.requestCounts[request] ?? 0 }
    }

    /// The offset that each fetch of a partition asked for.
    package func fetchedOffsets(of topic: String = "events", partition: Int32 = 0) -> [Int64] {
        change(topic, partition) { $0.fetched } ?? []
    }

    // MARK: Connections

    private static func serve(_ connection: Connection, _ cluster: Shared, node: Int32) {
        let index = Int(node) - 1
        var isLoggedIn = cluster.state.withLock { $0.login == nil }
        func deafenings() -> Int { cluster.state.withLock { $0.deafenings[index] } }
        let heard = deafenings()
        while true {
            if deafenings() != heard {
                while connection.discard(withinMilliseconds: 50) {}
                return
            }
            switch cluster.state.withLock({ $0.behaviours[index] }) {
            case .refusing: return
            case .silent:
                // Whoever was not answered here would wait for an answer of later: it has to connect anew.
                while cluster.state.withLock({ $0.behaviours[index] == .silent }) {
                    guard connection.discard(withinMilliseconds: 50) else { return }
                }
                return
            case .saying(let bytes):
                if !connection.isReadable(withinMilliseconds: 50) { continue }
                connection.send(bytes)
                return
            case .answering:
                if !connection.isReadable(withinMilliseconds: 50) { continue }
                guard let answer = answer(connection, cluster, node, &isLoggedIn) else { return }
                // What was asked before it went deaf is not answered either.
                if deafenings() == heard { connection.send(answer) }
            }
        }
    }

    /// The answer to the next request; nil where the connection is to end.
    private static func answer(
        _ connection: Connection,
        _ cluster: Shared,
        _ node: Int32,
        _ isLoggedIn: inout Bool
    ) -> [UInt8]? {
        guard let head = connection.read(4) else { return nil }
        let length = head.reduce(0) { $0 << 8 | Int($1) }
        guard length < 64 << 20, let bytes = connection.read(length) else { return nil }
        var reader = WireReader(bytes)
        do {
            let (key, version) = (try reader.int16(), try reader.int16())
            let correlation = try reader.int32()
            _ = try reader.string()
            guard let request = WireRequest(rawValue: key), request.version == version else {
                return nil
            }
            let isOpen: [WireRequest] = [.apiVersions, .saslHandshake, .saslAuthenticate]
            guard isLoggedIn || isOpen.contains(request) else { return nil }
            if request == .fetch { try waitForRecords(reader, cluster, node) }
            let body = try cluster.state.withLock { state in
                state.requestCounts[request, default: 0] += 1
                return try state.answer(request, &reader, node: node)
            }
            // The first two bytes of that answer are its error code.
            if request == .saslAuthenticate { isLoggedIn = body[0] == 0 && body[1] == 0 }
            var writer = WireWriter()
            writer.write(Int32(body.count + 4))
            writer.write(correlation)
            writer.append(body)
            return writer.bytes
        } catch {
            return nil
        }
    }

    /// A fetch that finds nothing is answered when something comes, or its time is over.
    private static func waitForRecords(
        _ reader: WireReader,
        _ cluster: Shared,
        _ node: Int32
    ) throws {
        var reader = reader
        let fetch = try WireCluster.Fetch(&reader)
        let end = Date().addingTimeInterval(Double(fetch.waitMilliseconds) / 1000)
        while Date() < end, !cluster.state.withLock({ $0.hasAnswer(to: fetch, node: node) }) {
            usleep(5000)
        }
    }
}
