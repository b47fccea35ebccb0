internal import CRdKafka

/// One request to the brokers' administration, which is waited for.
struct AdminRequest {
    /// Sets one of the times that a request has.
    typealias Limit = (OpaquePointer?, Int32, UnsafeMutablePointer<CChar>?, Int) ->
        rd_kafka_resp_err_t

    private let client: OpaquePointer
    private let operation: rd_kafka_admin_op_t
    private let limits: [Limit]
    private let timeout: Int
    private let context: String

    /// A request that is not sent yet.
    ///
    /// - Parameters:
    ///   - client: Whose connections it takes.
    ///   - operation: What is asked for.
    ///   - limits: Which of its times are to be `timeoutMilliseconds`.
    ///   - timeoutMilliseconds: How long it may take.
    ///   - context: What an error begins with.
    init(
        _ client: OpaquePointer,
        _ operation: rd_kafka_admin_op_t,
        limits: [Limit],
        timeoutMilliseconds: Int,
        _ context: String
    ) {
        self.client = client
        self.operation = operation
        self.limits = limits
        timeout = timeoutMilliseconds
        self.context = context
    }

    /// Sends it and reads the answer, which is lent to `read`.
    ///
    /// - Parameters:
    ///   - send: Sends it with these options, and has the answer sent to this queue.
    ///   - read: Makes something of the answer.
    /// - Returns: What `read` makes of it.
    /// - Throws: `KafkaError`: retriable without an answer, and what `read` throws.
    func answer<Result>(
        send: (_ options: OpaquePointer?, _ queue: OpaquePointer?) -> Void,
        read: (_ event: OpaquePointer) throws(KafkaError) -> Result
    ) throws(KafkaError) -> Result {
        let options = rd_kafka_AdminOptions_new(client, operation)
        defer { rd_kafka_AdminOptions_destroy(options) }
        var text = [CChar](repeating: 0, count: 512)
        for limit in limits {
            let code = limit(options, Int32(clamping: timeout), &text, text.count)
            if code != RD_KAFKA_RESP_ERR_NO_ERROR {
                throw KafkaError(code, context, detail: String(nulTerminated: text))
            }
        }
        let queue = rd_kafka_queue_new(client)
        defer { rd_kafka_queue_destroy(queue) }
        send(options, queue)
        // The request's own timeout ends it; a second more lets that answer arrive.
        guard let event = rd_kafka_queue_poll(queue, Int32(clamping: timeout + 1000)) else {
            throw KafkaError(RD_KAFKA_RESP_ERR__TIMED_OUT, context)
        }
        defer { rd_kafka_event_destroy(event) }
        return try read(event)
    }
}
