package import Basics

/// `cohortd.yaml` with all its defaults; docs/configuration.md describes every key.
///
/// Durations are milliseconds, sizes bytes.
package struct DaemonConfiguration: Hashable, Sendable {
    /// The key `dedupe`.
    package struct Dedupe: Hashable, Sendable {
        /// 0 = no dedupe.
        package var windowMilliseconds: Int64 = 7 * 86_400_000
        /// Per partition.
        package var entriesMax = 10_000_000

        /// The defaults.
        package init() {}
    }

    /// The key `snapshot`.
    package struct Snapshot: Hashable, Sendable {
        package var intervalMilliseconds: Int64 = 10_000
        package var bytes = 64 << 20

        /// The defaults.
        package init() {}
    }

    /// The keys `archive`, `history` and `delta_log`.
    package struct Retention: Hashable, Sendable {
        package var retentionMilliseconds: Int64
        /// 0 = no bound.
        package var bytesMax: Int
    }

    /// The key `limits`.
    package struct Limits: Hashable, Sendable {
        /// Per partition.
        package var usersMax = 5_000_000
        package var eventsPerTraceMax = 10_000
        package var propertiesPerUserMax = 1000
        package var futureMaxMilliseconds: Int64 = 7 * 86_400_000

        /// The defaults.
        package init() {}
    }

    /// `include`: folders, relative to the configuration file (see ``ConfigurationFolder``).
    package struct Include: Hashable, Sendable {
        package var cohorts = "cohorts"
        package var destinations = "destinations"
        package var syncs = "syncs"
        package var templates = "destinations/templates"
    }

    /// The key `http`.
    package struct HTTP: Hashable, Sendable {
        package var listen = ListenAddress(port: 8080)
        package var connectionsMax = 1024
        package var perAddressMax = 64
        package var bodyMax = 8 << 20
        /// Of each key; a second's worth may come at once.
        package var requestsPerSecond = 100
        /// None = whoever reaches the address may do everything; then the address is of loopback.
        package var keys: [HTTPKey] = []
        /// Nil = plain HTTP.
        package var tls: TLS?
    }

    /// The key `http.tls`: two files in PEM, by path or reference.
    package struct TLS: Hashable, Sendable {
        /// The certificate, and those of its authorities behind it.
        package var certificate: ReferencedText
        /// Its private key.
        package var key: ReferencedText
    }

    /// The key `log`.
    package struct Log: Hashable, Sendable {
        package var level = LogLevelName.info
        package var format = LogFormatName.auto
    }

    /// The key `identify`.
    package enum Identify: String, CaseIterable, Sendable {
        case immediate
        case nextEvent = "next_event"
    }

    /// `log.level`; the names are those of Telemetry's `LogLevel`.
    package enum LogLevelName: String, CaseIterable, Sendable {
        case error
        case warning
        case notice
        case info
        case debug
    }

    /// The key `log.format`.
    package enum LogFormatName: String, CaseIterable, Sendable {
        /// Text, with the journal's prefixes where the journal reads it.
        case auto
        case text
        case json
    }

    package var dataDirectory = "/var/lib/cohortd"
    package var timezone = "UTC"
    /// Divides 24 h.
    package var tickMilliseconds: Int64 = 60_000
    package var inactiveEvents: [String] = []
    package var identify = Identify.immediate
    package var dedupe = Dedupe()
    package var kafka = KafkaConfiguration()
    package var snapshot = Snapshot()
    package var archive = Retention(retentionMilliseconds: 400 * 86_400_000, bytesMax: 0)
    package var history = Retention(retentionMilliseconds: 14 * 86_400_000, bytesMax: 1 << 30)
    package var deltaLog = Retention(retentionMilliseconds: 86_400_000, bytesMax: 1 << 30)
    /// 0 = the cgroup's limit, else none.
    package var memoryMax = 0
    package var limits = Limits()
    package var include = Include()
    /// Ids of cohorts.
    package var acceptHistory: [String] = []
    package var http = HTTP()
    package var log = Log()

    /// The defaults.
    package init() {}

    /// The keys whose default has no effect yet, in the order of the file; `cohortd check` prints them.
    package static var keysWithoutEffect: [String] {
        ConfigurationKey.daemon.filter { $0.stage == .withoutEffect }.map(\.path)
    }

    /// The part that counts in replay.
    package var replay: ReplayConfiguration {
        ReplayConfiguration(
            timezone: timezone,
            inactiveEvents: inactiveEvents,
            identify: identify,
            dedupe: dedupe,
            limits: limits,
            eventBytesMax: kafka.eventBytesMax
        )
    }
}

/// The settings that replay shares with the daemon.
package struct ReplayConfiguration: Hashable, Sendable {
    package var timezone: String
    package var inactiveEvents: [String]
    package var identify: DaemonConfiguration.Identify
    package var dedupe: DaemonConfiguration.Dedupe
    package var limits: DaemonConfiguration.Limits
    package var eventBytesMax: Int

    /// Settings from their parts.
    package init(
        timezone: String,
        inactiveEvents: [String],
        identify: DaemonConfiguration.Identify,
        dedupe: DaemonConfiguration.Dedupe,
        limits: DaemonConfiguration.Limits,
        eventBytesMax: Int
    ) {
        self.timezone = timezone
        self.inactiveEvents = inactiveEvents
        self.identify = identify
        self.dedupe = dedupe
        self.limits = limits
        self.eventBytesMax = eventBytesMax
    }

    /// The defaults.
    package init() {
        self = DaemonConfiguration().replay
    }
}
