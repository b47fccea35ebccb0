package import Sync

/// Writes the CSV files of runs into a directory.
///
/// Works on a thread of its own; a run is delivered when all of it is on disk. Source:
/// docs/destinations/file-csv.md.
package final class RunFolderTransport: Sendable {
    private let thread: DeliveryThread<(run: RunRequest, columns: [String])>

    /// Starts the thread.
    ///
    /// - Parameters:
    ///   - directory: Absolute; it must exist when a run is written.
    ///   - complete: Called with token and outcome of every run, on the transport's thread.
    package init(
        directory: String,
        complete: @escaping @Sendable (UInt64, DeliveryOutcome) -> Void
    ) {
        thread = DeliveryThread(
            begin: {
                let folder = RunFolder(directory: directory)
                return { Self.write($0.run, columns: $0.columns, to: folder) }
            },
            complete: complete
        )
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

    /// Writes what was handed over, then ends the thread; returns when it has ended.
    package func stop() {
        thread.stop()
    }

    private static func write(
        _ run: RunRequest,
        columns: [String],
        to folder: RunFolder
    ) -> DeliveryOutcome {
        do throws(DiskError) {
            try folder.write(run, columns: columns)
            return .delivered
        } catch {
            return .retriable(detail: error.text, knownNotApplied: error.isUntouched)
        }
    }
}
