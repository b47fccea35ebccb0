internal import CRdKafka
// Takes the place of functions that librdkafka calls; nothing of it is called here.
internal import CSanitizedThreads
internal import Dispatch
internal import Synchronization
internal import Threads

/// What the C callbacks of one client need, reachable from its opaque pointer.
///
/// Made before the client and released after it was destroyed, so every callback finds it alive. All
/// properties are immutable; what a closure captures protects itself.
final class ClientCallbacks: Sendable {
    typealias Rebalance =
        @Sendable (
            OpaquePointer, rd_kafka_resp_err_t,
            UnsafeMutablePointer<rd_kafka_topic_partition_list_t>
        ) -> Void

    let log: @Sendable (ClientLogLine) -> Void
    /// Client-wide errors, from whichever thread polls the client's main queue.
    let failed: @Sendable (KafkaError) -> Void
    let rebalance: Rebalance?
    let committed: (@Sendable (rd_kafka_resp_err_t) -> Void)?
    let delivered: (@Sendable (UInt64, KafkaError?) -> Void)?

    init(
        log: @escaping @Sendable (ClientLogLine) -> Void,
        failed: @escaping @Sendable (KafkaError) -> Void,
        rebalance: Rebalance? = nil,
        committed: (@Sendable (rd_kafka_resp_err_t) -> Void)? = nil,
        delivered: (@Sendable (UInt64, KafkaError?) -> Void)? = nil
    ) {
        self.log = log
        self.failed = failed
        self.rebalance = rebalance
        self.committed = committed
        self.delivered = delivered
    }

    /// The callbacks of the client that `opaque` was given to.
    static func of(_ opaque: UnsafeMutableRawPointer?) -> ClientCallbacks? {
        opaque.map { Unmanaged<ClientCallbacks>.fromOpaque($0).takeUnretainedValue() }
    }
}

/// A queue of a client.
///
/// `@unchecked Sendable`: the C queue takes calls from every thread, and lives as long as its client.
struct ClientQueue: @unchecked Sendable {
    let pointer: OpaquePointer
}

/// One client of librdkafka: it lends the C handle to any number of threads and destroys it when the last
/// of them has given it back.
///
/// `@unchecked Sendable`: the C handle may be used from every thread; `uses` counts who is inside and says
/// when nobody may enter any more, so no call can reach a destroyed handle.
final class ClientHandle: @unchecked Sendable {
    private struct Uses {
        var count = 0
        var isClosing = false
        var queues: [ClientQueue] = []
    }

    private let client: OpaquePointer
    private let isConsumer: Bool
    private let uses = Mutex(Uses())
    private let unused = DispatchSemaphore(value: 0)
    private let finished = DispatchSemaphore(value: 0)

    /// Makes a client of `properties`, set in their order, the later winning.
    init(
        consumer: Bool,
        properties: [(String, String)],
        callbacks: ClientCallbacks
    ) throws(KafkaError) {
        guard let configuration = rd_kafka_conf_new() else {
            throw KafkaError(configuration: "the Kafka client gives no configuration object")
        }
        for (name, value) in properties {
            if let problem = ConfigurationCheck.set(name, value, in: configuration) {
                rd_kafka_conf_destroy(configuration)
                throw KafkaError(configuration: problem)
            }
        }
        let opaque = Unmanaged.passRetained(callbacks)
        Self.install(callbacks, opaque.toOpaque(), in: configuration)
        var text = [CChar](repeating: 0, count: 512)
        let type = consumer ? RD_KAFKA_CONSUMER : RD_KAFKA_PRODUCER
        guard let client = rd_kafka_new(type, configuration, &text, text.count) else {
            rd_kafka_conf_destroy(configuration)
            opaque.release()
            throw KafkaError(
                configuration: "the Kafka client cannot be made: \(String(nulTerminated: text))"
            )
        }
        self.client = client
        isConsumer = consumer
    }

    deinit {
        let isOpen = uses.withLock { !$0.isClosing }
        if isOpen {
            let remains = Remains(
                client: client,
                isConsumer: isConsumer,
                queues: uses.withLock { $0.queues }
            )
            _ = SystemThread.detached { remains.destroy() }
        }
    }

    /// Lends the client for the length of the call.
    ///
    /// - Throws: `KafkaError` of kind `closed` once the client is being closed, or what `body` throws.
    func use<Result>(
        _ body: (OpaquePointer) throws(KafkaError) -> Result
    ) throws(KafkaError) -> Result {
        guard enter() else { throw .closed }
        defer { leave() }
        return try body(client)
    }

    /// Lends the client for the length of the call; nil once it is being closed.
    func useIfOpen<Result>(_ body: (OpaquePointer) -> Result) -> Result? {
        guard enter() else { return nil }
        defer { leave() }
        return body(client)
    }

    /// A queue of our own, destroyed together with the client.
    func makeQueue() throws(KafkaError) -> ClientQueue {
        try use { client throws(KafkaError) in
            guard let pointer = rd_kafka_queue_new(client) else { throw .closed }
            let queue = ClientQueue(pointer: pointer)
            uses.withLock { $0.queues.append(queue) }
            return queue
        }
    }

    /// Refuses every further call, and destroys the client as soon as no call is inside it.
    ///
    /// Returns true when that was done within the time given. Otherwise the work goes on in a thread of its
    /// own, or hangs there: the client library cannot always finish (a coordinator that is gone, a deleted
    /// topic), so nothing that must survive may depend on it.
    func close(timeoutMilliseconds: Int) -> Bool {
        let (isFirst, isUnused, queues) = uses.withLock { uses in
            defer { uses.isClosing = true }
            return (!uses.isClosing, uses.count == 0, uses.queues)
        }
        if isFirst {
            if isUnused { unused.signal() }
            let remains = Remains(client: client, isConsumer: isConsumer, queues: queues)
            let (unused, finished) = (unused, finished)
            let started = SystemThread.detached {
                unused.wait()
                remains.destroy()
                finished.signal()
            }
            if !started { return false }
        }
        let isFinished =
            finished.wait(timeout: .now() + .milliseconds(timeoutMilliseconds)) == .success
        // Whoever asks again finds the same answer.
        if isFinished { finished.signal() }
        return isFinished
    }

    /// A number among the properties of a client.
    static func property(_ name: String, of client: OpaquePointer) -> Int? {
        var text = [CChar](repeating: 0, count: 64)
        var count = text.count
        guard
            rd_kafka_conf_get(rd_kafka_conf(client), name, &text, &count) == RD_KAFKA_CONF_OK
        else { return nil }
        return Int(String(nulTerminated: text))
    }

    /// Whether the client is being closed.
    var isClosing: Bool { uses.withLock { $0.isClosing } }

    private func enter() -> Bool {
        uses.withLock { uses in
            if uses.isClosing { return false }
            uses.count += 1
            return true
        }
    }

    private func leave() {
        let isLast = uses.withLock { uses in
            uses.count -= 1
            return uses.isClosing && uses.count == 0
        }
        if isLast { unused.signal() }
    }

    /// The C objects of a client nobody uses any more.
    ///
    /// `@unchecked Sendable`: one thread gets it and is the only one left to know the pointers.
    private struct Remains: @unchecked Sendable {
        let client: OpaquePointer
        let isConsumer: Bool
        let queues: [ClientQueue]

        func destroy() {
            let opaque = rd_kafka_opaque(client)
            for queue in queues { rd_kafka_queue_destroy(queue.pointer) }
            if isConsumer { rd_kafka_consumer_close(client) }
            rd_kafka_destroy(client)
            if let opaque { Unmanaged<ClientCallbacks>.fromOpaque(opaque).release() }
        }
    }
}

extension ClientHandle {
    private static func install(
        _ callbacks: ClientCallbacks,
        _ opaque: UnsafeMutableRawPointer,
        in configuration: OpaquePointer
    ) {
        rd_kafka_conf_set_opaque(configuration, opaque)
        rd_kafka_conf_set_log_cb(configuration) { client, level, facility, text in
            let line = ClientLogLine(
                level: level,
                facility: facility.map { String(cString: $0) } ?? "",
                text: text.map { String(cString: $0) } ?? ""
            )
            if line.isIdle { return }
            ClientCallbacks.of(client.flatMap { rd_kafka_opaque($0) })?.log(line)
        }
        rd_kafka_conf_set_error_cb(configuration) { client, code, reason, opaque in
            guard let callbacks = ClientCallbacks.of(opaque) else { return }
            let code = rd_kafka_resp_err_t(rawValue: code)
            let reason = reason.map { String(cString: $0) }
            callbacks.failed(KafkaError.of(client, code, "", detail: reason))
        }
        if callbacks.rebalance != nil {
            rd_kafka_conf_set_rebalance_cb(configuration) { client, event, partitions, opaque in
                guard let client, let partitions else { return }
                ClientCallbacks.of(opaque)?.rebalance?(client, event, partitions)
            }
        }
        if callbacks.committed != nil {
            rd_kafka_conf_set_offset_commit_cb(configuration) { _, code, _, opaque in
                ClientCallbacks.of(opaque)?.committed?(code)
            }
        }
        if callbacks.delivered != nil {
            rd_kafka_conf_set_dr_msg_cb(configuration) { _, message, opaque in
                guard let message else { return }
                let code = message.pointee.err
                let error =
                    code == RD_KAFKA_RESP_ERR_NO_ERROR
                    ? nil
                    : KafkaError(code, "a record was not delivered to \(topicName(message))")
                ClientCallbacks.of(opaque)?.delivered?(cohortd_kafka_token(message), error)
            }
        }
    }
}

/// The topic and partition that a message of the client speaks of, for messages to people.
func topicName(_ message: UnsafePointer<rd_kafka_message_t>) -> String {
    let topic = message.pointee.rkt.flatMap { rd_kafka_topic_name($0) }.map { String(cString: $0) }
    let name = topic ?? "Kafka"
    return message.pointee.partition < 0 ? name : "\(name)/\(message.pointee.partition)"
}

extension KafkaError {
    /// An error of a whole client; one that only says "fatal" is replaced by its cause.
    static func of(
        _ client: OpaquePointer?,
        _ code: rd_kafka_resp_err_t,
        _ context: String,
        detail: String?
    ) -> KafkaError {
        guard code == RD_KAFKA_RESP_ERR__FATAL, let client else {
            return KafkaError(code, context, detail: detail.map(explained))
        }
        var text = [CChar](repeating: 0, count: 512)
        let cause = rd_kafka_fatal_error(client, &text, text.count)
        return KafkaError(cause, context, detail: String(nulTerminated: text), isFatal: true)
    }
}

extension KafkaError {
    /// The client's text, where it would lead astray.
    private static func explained(_ text: String) -> String {
        // The length that the letters HTTP would be.
        guard text.contains("Invalid response size 1213486160"),
            let place = text.firstRange(of: ": Receive failed")
        else { return text }
        return text[..<place.lowerBound]
            + ": an HTTP server answers there, not Kafka; correct bootstrap.servers"
    }
}

extension String {
    /// The text before the first NUL.
    init(nulTerminated characters: [CChar]) {
        self.init(
            decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) },
            as: UTF8.self
        )
    }
}
