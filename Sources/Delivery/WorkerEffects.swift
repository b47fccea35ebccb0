import Basics
package import Sync

/// What a worker wants done, in this order: what it tells is made durable before anything follows from it.
package struct WorkerEffects: Sendable {
    /// A list that the partner holds for a sync, to be made durable and given to
    /// ``DestinationWorker/configure(sync:cohort:listID:)`` after a start.
    package struct List: Sendable, Equatable {
        /// Whose list.
        package var syncID: String
        /// What the partner calls it.
        package var listID: String
    }

    /// How a batch ended; its sync may submit another one.
    package struct Completion: Sendable, Equatable {
        /// Whose batch.
        package var syncID: String
        /// Which batch.
        package var messageID: String
        /// What became of it.
        package var outcome: DeliveryOutcome
    }

    /// Lists that are there now.
    package var listIDs: [List] = []
    /// Batches that ended.
    package var completions: [Completion] = []
    /// Requests to be sent.
    package var requests: [OutgoingRequest] = []
    /// What an operator wants to read in the log.
    package var notes: [WorkerNote] = []
    /// When ``DestinationWorker/advance(now:wallClock:)`` is due at the latest, in monotonic milliseconds, and
    /// ``DestinationWorker/allowance(sync:now:)`` may be more; nil where only an answer or a batch changes anything.
    package var wakeAt: Int64?
}

/// Something about a destination that an operator wants to read in the log.
package enum WorkerNote: Sendable, Equatable, CustomStringConvertible {
    /// Requests fail; nothing but single attempts leaves.
    case stopped(destination: String, reason: String, wait: Int64)
    /// It works again.
    case recovered(destination: String)
    /// It said that requests come too fast.
    case slowed(destination: String, wait: Int64, percent: Int)
    /// It refuses the credential.
    case refused(destination: String, reason: String)
    /// A list was made, or found, at the partner.
    case listMade(destination: String, sync: String)
    /// What an earlier process sent still counts.
    case waiting(destination: String, wait: Int64)

    /// One sentence for the log.
    package var description: String {
        switch self {
        case .stopped(let destination, let reason, let wait):
            "destination \(destination) does not work, nothing is lost; next attempt in "
                + "\(DurationText.text(milliseconds: wait)): \(reason)"
        case .recovered(let destination):
            "destination \(destination) works again"
        case .slowed(let destination, let wait, let percent):
            "destination \(destination) asks for fewer requests: it gets none for "
                + "\(DurationText.text(milliseconds: wait)), then \(percent) % of its limits"
        case .refused(let destination, let reason):
            "destination \(destination) is paused, nothing is lost: \(reason)"
        case .waiting(let destination, let wait):
            "destination \(destination) gets nothing for \(DurationText.text(milliseconds: wait)): what was "
                + "sent before this start still counts towards its limits"
        case .listMade(let destination, let sync):
            "destination \(destination) has a list for sync \(sync) now"
        }
    }
}
