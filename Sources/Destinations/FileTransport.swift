package import Sync

/// Appends delta records, as JSON Lines, to a file of one destination.
///
/// Works on a thread of its own; each batch is durable before it is reported delivered. At least once: after
/// a crash the last records may repeat. Source: docs/destinations/file.md.
package final class FileTransport: Sendable {
    /// How every delta record begins, by which a torn line is known as ours.
    package static let recordStart = "{\"tick\":"

    private let thread: DeliveryThread<[UInt8]>

    /// Starts the thread; the file is opened, and a torn last line cut, with the first batch.
    ///
    /// - Parameters:
    ///   - path: Absolute; its directory must exist when a batch is appended.
    ///   - complete: Called with token and outcome of every batch, on the transport's thread.
    package init(
        path: String,
        complete: @escaping @Sendable (UInt64, DeliveryOutcome) -> Void
    ) {
        thread = DeliveryThread(
            begin: {
                var file = LineFile(path: path, expectedStart: Self.recordStart)
                return { Self.append($0, to: &file) }
            },
            complete: complete
        )
    }

    /// Hands a batch over and returns at once; any thread may.
    ///
    /// - Parameters:
    ///   - lines: Whole lines, each with its newline.
    ///   - token: Comes back with the outcome.
    package func submit(lines: [UInt8], token: UInt64) {
        thread.submit(lines, token: token)
    }

    /// Appends what was handed over, then ends the thread; returns when it has ended.
    package func stop() {
        thread.stop()
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
