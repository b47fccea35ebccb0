import Basics

/// One look at a daemon.
struct TopLook {
    var status: StatusReply
    var readiness: ReadinessReply
    var metrics: MetricsText
    /// When it was taken: by the clock that never jumps, in milliseconds, and by that of the wall.
    var monotonic: Int64
    var wall: EventTime
}

/// What `cohortctl top` shows: a look, and how fast things went since the one before.
struct TopFigures {
    struct Partition {
        var partition: Int
        var state: String
        var eventsPerSecond: Double?
        var lag: Int64?
        var tickAgeSeconds: Double?
        var snapshotAgeSeconds: Double?
    }

    struct Sync {
        var sync: String
        var state: String
        var pending: Int
        var oldestPendingSeconds: Double
        /// Users delivered or accepted.
        var usersPerSecond: Double?
    }

    static let outcomes = ["applied", "deduplicated", "filtered", "rejected"]

    let version: String
    let startedAt: String
    let upSeconds: Double?
    let ready: Bool
    let reasons: [String]
    /// Between the two looks; nil without an earlier one of the same process, and then there are no rates.
    let intervalSeconds: Double?
    /// In the order of ``outcomes``.
    let eventsPerSecond: [Double]?
    let rejected: Int64
    let lag: Int64?
    let tickAgeSeconds: Double?
    /// Of all ticks since the start.
    let tickMeanSeconds: Double?
    /// 99 in 100 ticks took no longer; infinite where that is beyond the widest bucket.
    let tickMostSeconds: Double?
    /// Partitions whose tick is held, by cause, where there are some.
    let held: [(cause: String, partitions: Int64)]
    let memoryBytes: Int64?
    let memoryMaxBytes: Int64?
    let users: Int
    let entersPerSecond: Double?
    let exitsPerSecond: Double?
    let partitions: [Partition]
    let syncs: [Sync]

    init(_ look: TopLook, since earlier: TopLook?) {
        let status = look.status
        let metrics = look.metrics
        version = status.version
        startedAt = status.startedAt
        upSeconds = Self.age(status.startedAt, look)
        ready = look.readiness.ready
        reasons = look.readiness.reasons
        // A process that began anew counts from 0.
        let earlier = earlier?.status.startedAt == status.startedAt ? earlier : nil
        let seconds = earlier.map { Double(max(1, look.monotonic - $0.monotonic)) / 1000 }
        intervalSeconds = seconds
        func rate(_ name: String, _ labels: [String: String]) -> Double? {
            guard let earlier, let seconds, let new = metrics.sum(name, labels) else { return nil }
            return max(0, new - (earlier.metrics.sum(name, labels) ?? 0)) / seconds
        }
        eventsPerSecond =
            seconds == nil
            ? nil : Self.outcomes.map { rate("events_total", ["outcome": $0]) ?? 0 }
        rejected = Self.whole(metrics.sum("rejects_total")) ?? 0
        let lags = status.partitions.compactMap(\.lag)
        lag = lags.isEmpty ? nil : lags.reduce(0, +)
        tickAgeSeconds = status.tick.flatMap { Self.age($0, look) }
        let count = metrics.sum("tick_duration_seconds_count") ?? 0
        tickMeanSeconds =
            count > 0 ? metrics.sum("tick_duration_seconds_sum").map { $0 / count } : nil
        tickMostSeconds = count > 0 ? Self.bound(of: 0.99 * count, metrics) : nil
        held = metrics.all("ticks_held").compactMap { sample in
            guard let cause = sample.labels["cause"], let number = Self.whole(sample.value),
                number > 0
            else { return nil }
            return (cause, number)
        }
        memoryBytes = Self.whole(metrics.sum("memory_bytes"))
        memoryMaxBytes = Self.whole(metrics.sum("memory_max_bytes"))
        users = status.users
        entersPerSecond = rate("deltas_total", ["op": "enter"])
        exitsPerSecond = rate("deltas_total", ["op": "exit"])
        partitions = status.partitions.map { partition in
            let label = ["partition": "\(partition.partition)"]
            return Partition(
                partition: partition.partition,
                state: partition.state,
                eventsPerSecond: rate("events_total", label),
                lag: partition.lag,
                tickAgeSeconds: partition.tick.flatMap { Self.age($0, look) },
                snapshotAgeSeconds: metrics.sum("snapshot_age_seconds", label)
            )
        }
        syncs = status.syncs.map { sync in
            let sent = ["delivered", "accepted"].compactMap {
                rate("sync_users_total", ["sync": sync.sync, "outcome": $0])
            }
            return Sync(
                sync: sync.sync,
                state: sync.state,
                pending: sync.pending,
                oldestPendingSeconds: sync.oldestPendingSeconds,
                usersPerSecond: sent.isEmpty ? nil : sent.reduce(0, +)
            )
        }
    }

    /// How long ago an instant was by the clock of this machine.
    private static func age(_ instant: String, _ look: TopLook) -> Double? {
        EventTime(rfc3339: instant).map { max(0, Double(look.wall - $0) / 1000) }
    }

    private static func whole(_ value: Double?) -> Int64? {
        value.flatMap { Int64(exactly: $0.rounded()) }
    }

    /// The upper bound of the narrowest bucket that holds so many ticks.
    private static func bound(of count: Double, _ metrics: MetricsText) -> Double? {
        metrics.all("tick_duration_seconds_bucket")
            .filter { $0.value >= count }
            .compactMap { $0.labels["le"].flatMap(Double.init) }
            .min()
    }
}
