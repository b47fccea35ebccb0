import Basics
import LogStore
import Telemetry
import Threads

// A full disk: nothing more is applied, and the state in memory is written as a whole once there is space.

extension PartitionWorker {
    /// Whether the state in memory waits for space on the disk, and nothing may be applied to it.
    var isStalled: Bool { retryAt != nil }

    /// Waits for space on a disk that is full; any other error ends the process, and what was durable stays.
    ///
    /// - Parameters:
    ///   - error: Why the state could not be written.
    ///   - began: When that was tried; nil for now.
    func cannotSave(_ error: StoreError, since began: Int64? = nil) {
        guard error.isRetriable else {
            environment.control.postAtOnce(.fatal(DaemonError(error)))
            return
        }
        let now = environment.clock.monotonicMilliseconds
        retryAt = now + DiskRetry.wait(after: now - (began ?? now))
        report.storeFailure = "partition \(partition) cannot be saved: \(error.description)"
        publish()
        environment.logger.error(
            "disk_full",
            "\(error.description); the partition stands still until then, and nothing is lost",
            ["partition": LogValue(partition)],
            repeatKey: "\(partition)"
        )
    }

    /// Writes the state if it waited for that and it is time to try.
    func retrySaving(now: Int64) {
        // Half of what a rebuild fills is no state to save.
        guard rebuildEnd == nil else { return }
        guard let retryAt, now >= retryAt, mayPassDeadLetters else { return }
        do throws(StoreError) {
            try save()
        } catch {
            cannotSave(error, since: now)
            return
        }
        self.retryAt = nil
        report.storeFailure = nil
        publish()
        environment.logger.notice(
            "disk_has_space",
            "the state was saved, and the partition goes on",
            ["partition": LogValue(partition)]
        )
    }

    /// Makes the state durable: what changed, or after a write that failed, which took that with it, the whole of it.
    func save() throws(StoreError) {
        finishTick()
        if isStalled, !needsWholeState { try rewrite() } else { try writeChanges() }
    }
}
