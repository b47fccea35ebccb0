package import Basics
internal import CRdKafka
internal import Threads

/// What a producer is made of.
package struct ProducerSettings: Sendable {
    /// The user's librdkafka properties, already checked (`ConfigurationCheck`).
    package var properties: [String: String]
    /// How brokers name us in their logs.
    package var clientID: String
    /// How long a record waits for others to share a batch with.
    package var lingerMilliseconds: Int
    /// `none`, `gzip`, `snappy`, `lz4` or `zstd`.
    package var compression: String

    /// Settings that put up to 5 ms of records into an LZ4 batch, unless said otherwise.
    package init(
        properties: [String: String],
        clientID: String,
        lingerMilliseconds: Int = 5,
        compression: String = "lz4"
    ) {
        self.properties = properties
        self.clientID = clientID
        self.lingerMilliseconds = lingerMilliseconds
        self.compression = compression
    }

    /// What the client gets, in the order it is set: our defaults, the user's, then what our promises rest on.
    var clientProperties: [(String, String)] {
        let defaults = [
            ("client.id", clientID),
            ("linger.ms", "\(lingerMilliseconds)"),
            ("compression.type", compression),
            ("reconnect.backoff.max.ms", "1000"),
            ("statistics.interval.ms", "0"),
        ]
        let promises = [
            ("enable.idempotence", "true"),
            ("acks", "all"),
            // The default gives up after five minutes, and an outage may last longer.
            ("message.timeout.ms", "0"),
        ]
        let users = properties.sorted { $0.key.precedesByBytes($1.key) }.map { ($0.key, $0.value) }
        return defaults + users + promises
    }
}

/// Sends records, each once and in order per partition, and tells when each is safe.
///
/// - `send` only queues; the delivery closure says what became of the record, with the token given to `send`.
/// - A record is tried for as long as it takes: an outage shows as `queueFull`, never as a lost record.
/// - After a fatal error every call fails; make a new producer and send again what was not delivered.
///
/// `@unchecked Sendable`: the handle counts who is inside the C client, which serves every thread.
package final class Producer: @unchecked Sendable {
    let handle: ClientHandle

    /// Makes the client; no broker is waited for.
    ///
    /// - Parameters:
    ///   - settings: The properties.
    ///   - delivered: What became of a record, on a thread of the producer; nil is delivered. It must be
    ///     quick and may `send`.
    ///   - failed: Trouble that belongs to no record, on the same thread.
    ///   - log: Lines of the client library, from any of its threads; must not call back.
    /// - Throws: `KafkaError` of kind `configuration` when a property does not suit the client.
    package init(
        _ settings: ProducerSettings,
        delivered: @escaping @Sendable (_ token: UInt64, _ error: KafkaError?) -> Void,
        failed: @escaping @Sendable (KafkaError) -> Void,
        log: @escaping @Sendable (ClientLogLine) -> Void
    ) throws(KafkaError) {
        let callbacks = ClientCallbacks(log: log, failed: failed, delivered: delivered)
        let handle = try ClientHandle(
            consumer: false,
            properties: settings.clientProperties,
            callbacks: callbacks
        )
        self.handle = handle
        let started = SystemThread.detached { [weak handle] in
            while let handle, Self.poll(handle) {}
        }
        if !started {
            throw KafkaError(
                RD_KAFKA_RESP_ERR__CRIT_SYS_RESOURCE,
                "the thread for delivery reports cannot be started"
            )
        }
    }

    /// Queues a record; its bytes are copied before this returns.
    ///
    /// - Parameters:
    ///   - topic: The topic; a broker that makes topics by itself makes it.
    ///   - key: Nil is no key, which differs from an empty one.
    ///   - value: Nil is a tombstone, which differs from an empty value.
    ///   - headers: In this order.
    ///   - partition: Nil leaves the choice to the property `partitioner`.
    ///   - timestamp: Milliseconds since 1970-01-01 UTC; nil is now.
    ///   - token: What the delivery closure gets.
    /// - Throws: `KafkaError` of kind `queueFull` when too much waits for delivery: wait, send again.
    package func send(
        topic: String,
        key: ByteView?,
        value: ByteView?,
        headers: [RecordHeader] = [],
        partition: PartitionID? = nil,
        timestamp: Int64? = nil,
        token: UInt64 = 0
    ) throws(KafkaError) {
        try handle.use { client throws(KafkaError) in
            let list = Self.list(headers)
            let code = cohortd_kafka_produce(
                client,
                topic,
                partition ?? RD_KAFKA_PARTITION_UA,
                key?.base,
                key?.count ?? 0,
                value?.base,
                value?.count ?? 0,
                list,
                timestamp ?? 0,
                token
            )
            if code != RD_KAFKA_RESP_ERR_NO_ERROR {
                if let list { rd_kafka_headers_destroy(list) }
                throw KafkaError(code, "a record for \(topic) is not taken")
            }
        }
    }

    /// Queues a record of bytes; as the form that takes views.
    package func send(
        topic: String,
        key: [UInt8]?,
        value: [UInt8]?,
        headers: [RecordHeader] = [],
        partition: PartitionID? = nil,
        timestamp: Int64? = nil,
        token: UInt64 = 0
    ) throws(KafkaError) {
        try Self.withView(of: key) { key throws(KafkaError) in
            try Self.withView(of: value) { value throws(KafkaError) in
                try send(
                    topic: topic,
                    key: key,
                    value: value,
                    headers: headers,
                    partition: partition,
                    timestamp: timestamp,
                    token: token
                )
            }
        }
    }

    /// How many records wait for delivery or for their delivery report to be told.
    package var pendingCount: Int {
        // A closed producer holds nothing.
        handle.useIfOpen { Int(rd_kafka_outq_len($0)) } ?? 0
    }

    /// Sends what is queued without lingering and waits until everything is delivered and told.
    ///
    /// Not from the delivery closure.
    /// - Throws: `KafkaError` of kind `timedOut` when records still wait after the time given.
    package func flush(timeoutMilliseconds: Int) throws(KafkaError) {
        let code = try handle.use { rd_kafka_flush($0, Int32(clamping: timeoutMilliseconds)) }
        if code != RD_KAFKA_RESP_ERR_NO_ERROR {
            throw KafkaError(code, "\(pendingCount) records are not delivered yet")
        }
    }

    /// Frees the client; false when that took longer than the time given and goes on in a thread.
    ///
    /// What was not delivered is given up without a report: flush first.
    package func close(timeoutMilliseconds: Int) -> Bool {
        handle.close(timeoutMilliseconds: timeoutMilliseconds)
    }

    /// Serves delivery reports for a moment; false once the producer is closed.
    private static func poll(_ handle: ClientHandle) -> Bool {
        handle.useIfOpen { _ = rd_kafka_poll($0, 100) } != nil
    }

    private static func list(_ headers: [RecordHeader]) -> OpaquePointer? {
        if headers.isEmpty { return nil }
        let list = rd_kafka_headers_new(headers.count)
        for header in headers {
            // Minus one: the name ends at its NUL. An empty array may have no address, which would make a
            // null value of it.
            if let value = header.value {
                value.withByteView { view in
                    _ = rd_kafka_header_add(list, header.name, -1, view.base, view.count)
                }
            } else {
                rd_kafka_header_add(list, header.name, -1, nil, 0)
            }
        }
        return list
    }

    private static func withView(
        of bytes: [UInt8]?,
        _ body: (ByteView?) throws(KafkaError) -> Void
    ) throws(KafkaError) {
        guard let bytes else { return try body(nil) }
        try bytes.withByteView { view throws(KafkaError) in try body(view) }
    }
}
