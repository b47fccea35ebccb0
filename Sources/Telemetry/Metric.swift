/// Every metric family that `/metrics` shows, in the order in which it shows them.
///
/// This table is the only place that names them; docs/operations.md says what to do when one is bad. A metric
/// appears with its feature.
package enum Metric: Int, CaseIterable, Sendable {
    case buildInfo
    case eventsTotal
    case commandsTotal
    case rejectsTotal
    case lagRecords
    case commandsLagRecords
    case tickTimestampSeconds
    case tickDurationSeconds
    case ticksHeld
    case users
    case usersApproximate
    case propertiesIgnoredTotal
    case operationsIgnoredTotal
    case usersSplit
    case dedupeWindowShortenedTotal
    case cohortMembers
    case deltasTotal
    case snapshotAgeSeconds
    case storeBytes
    case memoryBytes
    case memoryMaxBytes
    case consumptionPaused
    case partitionState
    case syncPendingUsers
    case syncOldestPendingSeconds
    case syncUsersTotal
    case destinationUp
    case configReloadSuccessful

    /// What a family is to Prometheus.
    package enum Kind: Equatable, Sendable {
        /// Only grows, except when the process starts anew.
        case counter
        case gauge
        /// Upper bounds of the buckets, ascending, without +Inf.
        case histogram(bounds: [Double])
    }

    /// A label and, where its set is closed, its values.
    package struct Label: Equatable, Sendable {
        /// The name.
        package var name: String
        /// All its values, or nil where they come from Kafka or the configuration.
        package var values: [String]?
    }

    /// What the table says of one metric.
    package struct Family: Sendable {
        /// The whole name.
        package var name: String
        /// One sentence.
        package var help: String
        /// The type.
        package var kind: Kind
        /// In the order in which values are given.
        package var labels: [Label]
    }

    /// 1 ms … 10 s in 1-2-5 steps.
    package static let tickBounds: [Double] = [
        0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10,
    ]

    /// The row of this metric.
    package var family: Family {
        let (name, kind, labels, help) = row
        return Family(name: "cohortd_" + name, help: help, kind: kind, labels: labels)
    }

    private var row: (String, Kind, [Label], String) {
        switch self {
        case .buildInfo:
            ("build_info", .gauge, [.version], "Always 1; the label says which version runs.")
        case .eventsTotal:
            (
                "events_total", .counter, [.partition, .eventOutcome],
                "Events read, by what became of them."
            )
        case .commandsTotal:
            (
                "commands_total", .counter, [.partition, .commandOutcome],
                "Records of the commands topic, by what became of them."
            )
        case .rejectsTotal:
            ("rejects_total", .counter, [.reason], "Events and commands refused, by reason.")
        case .lagRecords:
            ("lag_records", .gauge, [.partition], "Records in Kafka that are not applied yet.")
        case .commandsLagRecords:
            (
                "commands_lag_records", .gauge, [.partition],
                "Commands in Kafka that are not applied yet."
            )
        case .tickTimestampSeconds:
            (
                "tick_timestamp_seconds", .gauge, [.partition],
                "The last tick evaluated, seconds since 1970-01-01 UTC."
            )
        case .tickDurationSeconds:
            (
                "tick_duration_seconds", .histogram(bounds: Self.tickBounds), [],
                "Time to evaluate one tick of one partition."
            )
        case .ticksHeld:
            (
                "ticks_held", .gauge, [.cause],
                "Partitions whose next tick is due but waits, by cause."
            )
        case .users:
            ("users", .gauge, [], "Known users.")
        case .usersApproximate:
            (
                "users_approximate", .gauge, [],
                "Users of whom a trace lost events to limits.events_per_trace_max."
            )
        case .propertiesIgnoredTotal:
            (
                "properties_ignored_total", .counter, [.partition],
                "Values of user properties not kept because of limits.properties_per_user_max."
            )
        case .operationsIgnoredTotal:
            (
                "operations_ignored_total", .counter, [.partition],
                "Operations on user properties that could not be done."
            )
        case .usersSplit:
            (
                "users_split", .gauge, [],
                "Users with events in more than one partition, from a sample of one in 256."
            )
        case .dedupeWindowShortenedTotal:
            (
                "dedupe_window_shortened_total", .counter, [.partition],
                "Remembered events dropped before dedupe.window because of dedupe.entries_max."
            )
        case .cohortMembers:
            ("cohort_members", .gauge, [.cohort], "Members at the last tick.")
        case .deltasTotal:
            ("deltas_total", .counter, [.cohort, .operation], "Users who entered or left.")
        case .snapshotAgeSeconds:
            (
                "snapshot_age_seconds", .gauge, [.partition],
                "Age of the newest durable state; a crash replays as much."
            )
        case .storeBytes:
            ("store_bytes", .gauge, [.storeKind], "Bytes in data_dir, by kind of file.")
        case .memoryBytes:
            ("memory_bytes", .gauge, [], "Memory of the process that is resident.")
        case .memoryMaxBytes:
            (
                "memory_max_bytes", .gauge, [],
                "What memory_bytes may reach: memory_max, else the cgroup's limit."
            )
        case .consumptionPaused:
            (
                "consumption_paused", .gauge, [.pauseCause],
                "1 while nothing is read from Kafka, by cause."
            )
        case .partitionState:
            (
                "partition_state", .gauge, [.partition, .state],
                "1 for the state a partition is in, else 0."
            )
        case .syncPendingUsers:
            (
                "sync_pending_users", .gauge, [.sync],
                "Users whose change the destination has not confirmed."
            )
        case .syncOldestPendingSeconds:
            (
                "sync_oldest_pending_seconds", .gauge, [.sync],
                "Age of the oldest unconfirmed change."
            )
        case .syncUsersTotal:
            (
                "sync_users_total", .counter, [.sync, .syncOutcome],
                "Users sent, by what came of it."
            )
        case .destinationUp:
            (
                "destination_up", .gauge, [.destination],
                "1 if what was sent last was taken, else 0."
            )
        case .configReloadSuccessful:
            (
                "config_reload_successful", .gauge, [],
                "1 if the configuration that was read last is used, else 0."
            )
        }
    }
}

extension Metric.Label {
    static let partition = Metric.Label(name: "partition")
    static let cohort = Metric.Label(name: "cohort")
    static let sync = Metric.Label(name: "sync")
    static let destination = Metric.Label(name: "destination")
    static let version = Metric.Label(name: "version")
    static let eventOutcome = Metric.Label(
        name: "outcome",
        values: ["applied", "deduplicated", "filtered", "rejected"]
    )
    static let commandOutcome = Metric.Label(
        name: "outcome",
        values: ["applied", "filtered", "rejected"]
    )
    // The words of RejectReason, which this target does not see; a wrong one is stopped by the registry.
    static let reason = Metric.Label(
        name: "reason",
        values: [
            "too_large", "not_utf8", "not_json", "too_deep", "duplicate_key", "not_object",
            "bad_type",
            "missing_event_type", "missing_id", "bad_time", "future", "users_max", "crash",
            "unknown_command", "not_yet",
        ]
    )
    static let cause = Metric.Label(name: "cause", values: ["broker", "lag", "clock"])
    static let pauseCause = Metric.Label(name: "cause", values: ["memory"])
    static let operation = Metric.Label(name: "op", values: ["enter", "exit"])
    static let storeKind = Metric.Label(
        name: "kind",
        values: ["wal", "segments", "journal", "quarantine"]
    )
    static let state = Metric.Label(
        name: "state",
        values: ["assigned", "restoring", "replaying", "live", "building", "degraded", "halted"]
    )
    static let syncOutcome = Metric.Label(
        name: "outcome",
        values: ["delivered", "accepted", "skipped", "unknown"]
    )
}
