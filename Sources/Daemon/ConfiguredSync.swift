import Basics
import Configuration
import InputFiles
import Sync

/// What the API shows of a sync's configuration.
struct ConfiguredSync: Sendable {
    var cohort: String
    var cadence: SyncConfiguration.Cadence
    /// Nil for a sync without runs.
    var schedule: RunSchedule?

    /// The facts of a configured sync; `timezone` is that of the configuration.
    init(_ sync: SyncConfiguration, timezone: String) {
        cohort = sync.cohort
        cadence = sync.cadence
        schedule = RunSchedule(sync, timezone: timezone)
    }
}

extension RunSchedule {
    /// When the runs of a configured sync are due; nil for a realtime one.
    init?(_ sync: SyncConfiguration, timezone: String) {
        switch sync.cadence {
        case .realtime: return nil
        case .hourly: self = .hourly
        case .onDemand: self = .onDemand
        case .daily:
            // The configuration was refused if the zone had no rules.
            self = .daily(minute: sync.minuteOfDay, ZoneFiles.rules(timezone) ?? .utc)
        }
    }
}
