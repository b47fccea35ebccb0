internal import Basics
internal import CRdKafka

/// The queue of one engine thread: its partitions' records, ends and troubles, in order per partition.
///
/// `@unchecked Sendable`: the C queue may be used from every thread; `consume` is for one thread at a time,
/// or the records of a partition could be seen out of order.
package final class EngineQueue: @unchecked Sendable {
    private let handle: ClientHandle
    private let queue: ClientQueue

    private let waker: FetchWaker
    private let conversation: Conversation

    init(
        _ handle: ClientHandle,
        _ waker: FetchWaker,
        _ conversation: Conversation
    ) throws(KafkaError) {
        queue = try handle.makeQueue()
        self.handle = handle
        self.waker = waker
        self.conversation = conversation
    }

    /// Hands what is queued to `body`, one after the other, and returns how many that were.
    ///
    /// Waits up to `timeoutMilliseconds` for the first; then takes what is there without waiting, at most
    /// `limit`. One call to the client serves them all; nothing is allocated per record. Records of a
    /// partition that was taken away meanwhile are dropped by the client, but not from the very instant its
    /// owner is told: the owner compares partition and offset with its own.
    /// Once the consumer is being closed it returns 0 at once.
    package func consume(
        timeoutMilliseconds: Int,
        limit: Int = .max,
        _ body: (borrowing RecordView) -> Void
    ) -> Int {
        let count = handle.useIfOpen { client in
            withoutActuallyEscaping(body) { body in
                var pass = Pass(
                    body: body,
                    conversation: conversation,
                    client: client,
                    limit: limit
                )
                withUnsafeMutablePointer(to: &pass) { pass in
                    _ = rd_kafka_consume_callback_queue(
                        queue.pointer,
                        Int32(clamping: timeoutMilliseconds),
                        { message, pass in
                            guard let message, let pass else { return }
                            Pass.take(message, pass.assumingMemoryBound(to: Pass.self))
                        },
                        pass
                    )
                }
                waker.handedOut(
                    pass.count,
                    size: pass.size,
                    rest: rd_kafka_queue_length(queue.pointer),
                    client
                )
                return pass.count
            }
        }
        return count ?? 0
    }

    /// How many records, ends and troubles wait in it.
    package var count: Int {
        // Of a closed queue nothing comes any more.
        handle.useIfOpen { _ in rd_kafka_queue_length(queue.pointer) } ?? 0
    }

    /// Ends the running `consume` after the record in hand; the rest stays queued.
    ///
    /// Only from inside the body of `consume`, on its thread.
    package func stopEarly() {
        // A thread-local mark of the client library; it needs no handle.
        rd_kafka_yield(nil)
    }

    /// Ends the wait of a `consume` that found nothing yet; from any thread.
    package func wake() {
        // Once it is closed nobody waits any more.
        _ = handle.useIfOpen { _ in rd_kafka_queue_yield(queue.pointer) }
    }

    /// Sends what arrives for a partition to this queue from the call on; false if it has no queue.
    ///
    /// It keeps no hold on the handle, for the handle's callbacks keep it.
    var forwarding: Conversation.Forwarding {
        { [queue] partition, topic, client in
            guard let source = rd_kafka_queue_get_partition(client, topic, partition) else {
                return false
            }
            rd_kafka_queue_forward(source, queue.pointer)
            rd_kafka_queue_destroy(source)
            return true
        }
    }

    /// One call of `consume`, on the stack of its thread.
    private struct Pass {
        let body: (borrowing RecordView) -> Void
        let conversation: Conversation
        let client: OpaquePointer
        let limit: Int
        var count = 0
        /// Bytes of values.
        var size = 0
        /// The topic of the message before, and whether that is the companion: topics change seldom.
        private var topic: OpaquePointer?
        private var isOfCompanion = false

        init(
            body: @escaping (borrowing RecordView) -> Void,
            conversation: Conversation,
            client: OpaquePointer,
            limit: Int
        ) {
            self.body = body
            self.conversation = conversation
            self.client = client
            self.limit = limit
        }

        static func take(
            _ message: UnsafeMutablePointer<rd_kafka_message_t>,
            _ pass: UnsafeMutablePointer<Pass>
        ) {
            let isOfCompanion = pass.pointee.isOfCompanion(message)
            let view = RecordView(message, isOfCompanion: isOfCompanion)
            pass.pointee.body(view)
            if view.isDamage {
                pass.pointee.conversation.stopAtDamage(
                    view.partition,
                    ofCompanion: isOfCompanion,
                    pass.pointee.client
                )
            }
            pass.pointee.count += 1
            pass.pointee.size += message.pointee.len
            if pass.pointee.count >= pass.pointee.limit { rd_kafka_yield(pass.pointee.client) }
        }

        private mutating func isOfCompanion(
            _ message: UnsafeMutablePointer<rd_kafka_message_t>
        ) -> Bool {
            guard topic != message.pointee.rkt, let rkt = message.pointee.rkt else {
                return isOfCompanion
            }
            topic = rkt
            let name = rd_kafka_topic_name(rkt).map { String(cString: $0) }
            isOfCompanion = name != nil && name == conversation.settings.companion
            return isOfCompanion
        }
    }
}
