/// One document of `config/syncs/*.yaml`: whose members go where.
package struct SyncConfiguration: Hashable, Sendable {
    /// The key `cadence`.
    package enum Cadence: String, CaseIterable, Sendable {
        case realtime
        case hourly
        case daily
        case onDemand = "on_demand"
    }

    /// The key `on_delete`.
    package enum OnDelete: String, CaseIterable, Sendable {
        case removeAll = "remove_all"
        case leave
    }

    /// The key `coalesce`.
    package enum Coalesce: String, CaseIterable, Sendable {
        case latest
        case none
    }

    /// The key `guard`.
    package struct Guard: Hashable, Sendable {
        /// 1 = off.
        package var share = 0.3
        package var users = 1000
    }

    /// Unique among syncs.
    package var id: String
    /// Id of the cohort whose members are sent.
    package var cohort: String
    /// Id of the destination.
    package var destination: String
    package var cadence = Cadence.realtime
    /// The key `at`, for `daily`: a minute of the day, 0…1439.
    package var minuteOfDay = 2 * 60 + 30
    package var identity = ["user_id"]
    package var properties: [String] = []
    package var blastGuard = Guard()
    package var onDelete = OnDelete.removeAll
    package var coalesce = Coalesce.latest
    /// 0 = never.
    package var reassertMilliseconds: Int64 = 86_400_000
    package var success = 0.95
    /// Nothing is sent while it is true.
    package var isPaused = false
    /// Where its values stand.
    package var places: Places
}
