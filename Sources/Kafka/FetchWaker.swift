internal import CRdKafka

/// Ends the sleep of a client whose queue was full, once half of it is handed out.
///
/// A thread of the client (2.0.2) that finds the queue full sleeps until something else happens to it, up to a second,
/// for nothing tells it that there is room again. A queue would have to hold what a second applies, which is memory
/// that has left the processor's caches by the time it is read. `rd_kafka_sasl_set_credentials` is the one call that
/// wakes those threads and sends nothing to a broker; it is given what is set already.
struct FetchWaker: Sendable {
    /// Half of how many records may wait.
    private let records: Int
    /// Half of how many bytes of values may wait.
    private let bytes: Int
    private let user: String
    private let password: String

    /// One for the queues of a client with these properties, of which the later wins.
    init(_ properties: [(String, String)], _ client: OpaquePointer) {
        func limit(_ name: String) -> Int { ClientHandle.property(name, of: client) ?? 0 }
        func text(_ name: String) -> String { properties.last { $0.0 == name }?.1 ?? "" }
        records = limit("queued.min.messages") / 2
        bytes = limit("queued.max.messages.kbytes") * 512
        user = text("sasl.username")
        password = text("sasl.password")
    }

    /// Wakes the client if the last `taken` records made the queue half empty.
    ///
    /// - Parameters:
    ///   - taken: How many were handed out in one go.
    ///   - size: Bytes of their values.
    ///   - rest: How many wait.
    ///   - client: The client.
    func handedOut(_ taken: Int, size: Int, rest: Int, _ client: OpaquePointer) {
        guard taken > 0, isHalfFull(taken + rest, mean: size / taken),
            !isHalfFull(rest, mean: size / taken)
        else { return }
        // An error means that it was not woken; it wakes by itself.
        if let error = rd_kafka_sasl_set_credentials(client, user, password) {
            rd_kafka_error_destroy(error)
        }
    }

    private func isHalfFull(_ count: Int, mean: Int) -> Bool {
        count >= records || count * mean >= bytes
    }
}
