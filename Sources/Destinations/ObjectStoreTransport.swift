package import Basics
package import Delivery
package import Sync
import Synchronization

/// Puts the CSV files of runs into a bucket.
///
/// Works on a thread of its own, which waits for the answers; requests go through the sender of all
/// destinations. Source: docs/destinations/s3-csv.md.
package final class ObjectStoreTransport: Sendable {
    private let thread: DeliveryThread<(run: RunRequest, columns: [String])>
    private let credentials: SharedCredentials

    /// What the thread signs with; replaced from any other.
    private final class SharedCredentials: Sendable {
        let value: Mutex<ObjectStoreSettings.Credentials>

        init(_ value: ObjectStoreSettings.Credentials) {
            self.value = Mutex(value)
        }
    }

    /// Starts the thread.
    ///
    /// - Parameters:
    ///   - settings: Where to.
    ///   - credentials: Who writes.
    ///   - version: This program's, for `User-Agent`.
    ///   - clock: The wall clock, part of what is signed.
    ///   - exchange: Sends a request and waits for its outcome: `HTTPSender.exchange`.
    ///   - complete: Called with token and outcome of every run, on the transport's thread.
    package init(
        _ settings: ObjectStoreSettings,
        credentials: ObjectStoreSettings.Credentials,
        version: String,
        clock: any Clock,
        exchange: @escaping @Sendable (HTTPRequest) -> HTTPOutcome,
        complete: @escaping @Sendable (UInt64, DeliveryOutcome) -> Void
    ) {
        let shared = SharedCredentials(credentials)
        self.credentials = shared
        thread = DeliveryThread(
            begin: {
                let store = ObjectStore(
                    settings,
                    credentials: credentials,
                    version: version,
                    clock: clock,
                    exchange: exchange
                )
                return { work in
                    store.credentials = shared.value.withLock { $0 }
                    return Self.put(work.run, columns: work.columns, into: store)
                }
            },
            complete: complete
        )
    }

    /// Signs with these from the next run on.
    package func update(_ credentials: ObjectStoreSettings.Credentials) {
        self.credentials.value.withLock { $0 = credentials }
    }

    /// Hands a run over and returns at once; any thread may.
    ///
    /// - Parameters:
    ///   - run: The run.
    ///   - columns: The properties of the sync, in its order.
    ///   - token: Comes back with the outcome.
    package func submit(_ run: RunRequest, columns: [String], token: UInt64) {
        thread.submit((run, columns), token: token)
    }

    /// Puts what was handed over, then ends the thread; returns when it has ended.
    ///
    /// Stop the sender first: then what is under way ends at once.
    package func stop() {
        thread.stop()
    }

    /// `existing` last, as in a folder: where it is, the run is whole.
    private static func put(
        _ run: RunRequest,
        columns: [String],
        into store: ObjectStore
    ) -> DeliveryOutcome {
        var isUntouched = true
        for part in RunFile.Part.allCases {
            var file = RunFile(part, of: run, columns: columns)
            do throws(ObjectStoreError) {
                try store.put(file.name) { file.next(byteCount: $0) }
            } catch {
                if case .retriable(let detail, let after, true) = error.outcome, !isUntouched {
                    return .retriable(detail: detail, retryAfterMilliseconds: after)
                }
                return error.outcome
            }
            isUntouched = false
        }
        return .delivered
    }
}
