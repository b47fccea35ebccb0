import Basics

/// The runs of a sync whose changes leave now and then.
struct RunState: Sendable {
    /// The tick up to which the run under way sends changes; nil between two runs.
    var tick: EventTime?
    /// The newest instant at which a run was due and begun, or that lies before the sync.
    var newestDue: EventTime?
    /// Users who were settled in the run, by outcome.
    var delivered = 0
    var skipped = 0
    /// Whether a person asked for a run that has not begun.
    var isAsked = false
    /// How the last one ended.
    var last: SyncStatus.Run?
}
