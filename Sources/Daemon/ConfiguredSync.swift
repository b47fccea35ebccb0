import Basics
import Configuration
import InputFiles
import Sync

/// What the API shows of a sync's configuration.
struct ConfiguredSync: Sendable {
    var cohort: String
    var cadence: SyncConfiguration.Cadence
    var schedule: SyncCadence

    /// The facts of a configured sync, which the planner knows by `settings`.
    init(_ sync: SyncConfiguration, _ settings: SyncSettings) {
        cohort = sync.cohort
        cadence = sync.cadence
        schedule = settings.cadence
    }

    /// Those of a sync that is not configured any more and takes out its users.
    init(leaving settings: SyncSettings) {
        cohort = settings.cohortID
        cadence = .realtime
        schedule = settings.cadence
    }
}

extension SyncCadence {
    /// When the changes of a configured sync leave; `timezone` is that of the configuration.
    init(_ sync: SyncConfiguration, timezone: String) {
        switch sync.cadence {
        case .realtime: self = .realtime
        case .hourly: self = .hourly
        case .onDemand: self = .onDemand
        case .daily:
            // The configuration was refused if the zone had no rules.
            self = .daily(minutesOfDay: sync.minuteOfDay, ZoneFiles.rules(timezone) ?? .utc)
        }
    }
}
