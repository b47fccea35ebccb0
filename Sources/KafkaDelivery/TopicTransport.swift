package import Sync
import Synchronization
import Threads

/// Sends batches as records to a topic of Kafka, each user's in order, and says how each batch ended.
///
/// Works on a thread of its own. A batch is delivered when the brokers have acknowledged all of its records.
/// One that takes longer than it may is reported as unknown and stays with the client, which never gives a
/// record up; sent again, it is waited for and not sent twice. Source: docs/destinations/kafka-topic.md.
package final class TopicTransport: Sendable {
    private let mailbox = Mailbox<TopicMessage>(capacity: .max)
    private let thread: Mutex<SystemThread?>
    private let complete: @Sendable (UInt64, DeliveryOutcome) -> Void

    /// Starts the thread; the producer is made with the first batch.
    ///
    /// - Parameters:
    ///   - settings: Whereto.
    ///   - complete: Called with token and outcome of every batch, on the transport's thread or, after the
    ///     stop, on the caller's.
    package init(
        _ settings: TopicSettings,
        complete: @escaping @Sendable (UInt64, DeliveryOutcome) -> Void
    ) {
        let mailbox = mailbox
        self.complete = complete
        thread = Mutex(
            SystemThread {
                TopicLoop(settings, mailbox: mailbox, complete: complete).run()
            }
        )
    }

    /// Hands a batch over and returns at once; any thread may.
    package func submit(_ request: DeliveryRequest, token: UInt64) {
        if !mailbox.post(.batch(request, token: token)) {
            complete(token, TopicLoop.stopped)
        }
    }

    /// Waits that long for acknowledgments, cuts off the rest, and returns when every batch has had its
    /// outcome.
    package func stop(graceMilliseconds: Int64) {
        _ = mailbox.post(.stop(graceMilliseconds: graceMilliseconds))
        let ending = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        ending?.join()
    }
}
