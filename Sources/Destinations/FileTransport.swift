package import Sync
import Synchronization
import Threads

/// Appends delta records, as JSON Lines, to a file of one destination.
///
/// Works on a thread of its own, since a disk may hang; each batch is durable before it is reported
/// delivered. At least once: after a crash the last records may repeat.
/// Source: docs/destinations/file.md.
package final class FileTransport: Sendable {
    /// How every delta record begins, by which a torn line is known as ours.
    package static let recordStart = "{\"tick\":"

    // Not bounded here: the planner bounds what may be under way.
    private let queue = Mailbox<(token: UInt64, lines: [UInt8])>(capacity: .max)
    private let thread: Mutex<SystemThread?>
    private let complete: @Sendable (UInt64, DeliveryOutcome) -> Void

    /// Starts the thread; the file is opened, and a torn last line cut, with the first batch.
    ///
    /// - Parameters:
    ///   - path: Absolute; its directory must exist when a batch is appended.
    ///   - complete: Called with token and outcome of every batch, on the transport's thread.
    package init(
        path: String,
        complete: @escaping @Sendable (UInt64, DeliveryOutcome) -> Void
    ) {
        let queue = queue
        self.complete = complete
        thread = Mutex(
            SystemThread {
                var file = LineFile(path: path, expectedStart: Self.recordStart)
                while let batch = queue.next() {
                    complete(batch.token, Self.append(batch.lines, to: &file))
                }
            }
        )
    }

    /// Hands a batch over and returns at once; any thread may.
    ///
    /// - Parameters:
    ///   - lines: Whole lines, each with its newline.
    ///   - token: Comes back with the outcome.
    package func submit(lines: [UInt8], token: UInt64) {
        if !queue.post((token, lines)) {
            complete(
                token,
                .retriable(
                    detail: "not written because the program stops; it is after the next start",
                    knownNotApplied: true
                )
            )
        }
    }

    /// Appends what was handed over, then ends the thread; returns when it has ended.
    package func stop() {
        queue.close()
        let ending = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        ending?.join()
    }

    private static func append(_ lines: [UInt8], to file: inout LineFile) -> DeliveryOutcome {
        do {
            try file.append(lines)
            return .delivered
        } catch {
            return .retriable(detail: error.text, knownNotApplied: error.isUntouched)
        }
    }
}
