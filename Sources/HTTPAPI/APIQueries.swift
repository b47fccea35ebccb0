package import Basics
package import Sync

/// What the routes ask the daemon.
///
/// Every call comes on a thread of the server, several at a time, and should answer from memory
/// within milliseconds.
package protocol APIQueries: Sendable {
    /// What keeps the daemon from being ready.
    func readiness() -> Readiness
    /// The metrics in Prometheus' text form 0.0.4.
    func metrics() -> [UInt8]
    /// Partitions and syncs.
    func status() -> StatusReport
    /// Every cohort, in any order.
    func cohorts() -> [CohortSummary]
    /// Every sync, in any order.
    func syncs() -> [SyncSummary]
    /// Asks something of a sync.
    ///
    /// - Throws: `APIQueryError`
    func command(_ command: SyncCommand, sync: String) throws(APIQueryError)
    /// Lets time go on from what the clock says, where it is not believed.
    ///
    /// - Throws: `APIQueryError`
    func acceptTime() throws(APIQueryError) -> TimeReport
    /// Changes the definitions, or reads the configuration again.
    ///
    /// Waits for Kafka, up to half a minute.
    /// - Returns: What changed, for people.
    /// - Throws: `APIQueryError`
    func change(definitions request: DefinitionRequest) throws(APIQueryError) -> String
    /// Lets partitions go on that are halted, or leaves out what they cannot read.
    ///
    /// - Throws: `APIQueryError`
    func change(log request: LogRequest) throws(APIQueryError) -> LogReport
    /// The members of `cohort` whose ids follow `after` by bytes, over all partitions: the first
    /// `limit` of them, 1…10,000.
    ///
    /// - Throws: `APIQueryError`
    func members(
        of cohort: String,
        after: String?,
        limit: Int
    ) throws(APIQueryError) -> MembersPage
}

/// Why a query has no answer.
package enum APIQueryError: Error, Equatable {
    /// No cohort has this id.
    case unknownCohort
    /// No sync has this id.
    case unknownSync
    /// The cohort is one of a file: that must be edited instead.
    case ownedByFile
    /// The request contradicts itself; the text is for the caller.
    case badRequest(String)
    /// What is asked for cannot be used, as the text says, line by line.
    case invalid(String)
    /// No such topic or partition is read. `reason` is for the caller.
    case unknownLog(reason: String)
    /// There is nothing to do, or it cannot be done now. `reason` is for the caller.
    case refused(reason: String)
    /// A partition still replays: the list would lack users. `reason` is for the caller.
    case notReady(reason: String)

    /// In words.
    package var reason: String {
        switch self {
        case .unknownCohort: "there is no such cohort"
        case .unknownSync: "there is no such sync"
        case .ownedByFile: "the cohort is one of a file"
        case .badRequest(let text), .invalid(let text): text
        case .unknownLog(let reason), .refused(let reason), .notReady(let reason): reason
        }
    }
}

/// What `POST /v1/time/accept` shows.
package struct TimeReport: Sendable {
    /// What the clock says.
    package var now: EventTime
    /// The last tick before; nil where there was none.
    package var tick: EventTime?

    /// A report from its parts.
    package init(now: EventTime, tick: EventTime?) {
        self.now = now
        self.tick = tick
    }
}

/// Whether the daemon does its work.
package struct Readiness: Sendable, Equatable {
    /// What is missing, in words; empty when the daemon is ready.
    package var reasons: [String]

    /// Ready when `reasons` is empty.
    package init(reasons: [String]) {
        self.reasons = reasons
    }
}

/// What `GET /v1/status` shows.
package struct StatusReport: Sendable {
    /// The state of a partition.
    package enum PartitionState: String, Sendable, CaseIterable {
        // The values are those of the metric `partition_state`.
        // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
        case assigned, restoring, replaying, live, building, degraded, halted
    }

    /// One partition.
    package struct Partition: Sendable {
        /// Its number.
        package var partition: PartitionID
        /// Its state.
        package var state: PartitionState
        /// The offset of the next event it will apply.
        package var offset: Offset
        /// How many records it is behind the end of the topic; nil while that is unknown.
        package var lag: Int64?
        /// The offset of the next command it will apply; nil while the commands topic is not read.
        package var commandsOffset: Offset?
        /// How many commands it is behind the end of their topic; nil while that is unknown.
        package var commandsLag: Int64?
        /// The last tick it computed; nil before the first.
        package var tick: EventTime?

        /// A partition from its parts.
        package init(
            partition: PartitionID,
            state: PartitionState,
            offset: Offset,
            lag: Int64?,
            commandsOffset: Offset? = nil,
            commandsLag: Int64? = nil,
            tick: EventTime?
        ) {
            self.partition = partition
            self.state = state
            self.offset = offset
            self.lag = lag
            self.commandsOffset = commandsOffset
            self.commandsLag = commandsLag
            self.tick = tick
        }
    }

    /// One sync.
    package struct Sync: Sendable {
        /// Its id.
        package var sync: String
        /// Its state.
        package var state: SyncStatus.State
        /// Users whose change has not been acknowledged.
        package var pending: Int
        /// The age of the oldest of them; 0 when there is none.
        package var oldestPendingMilliseconds: Int64

        /// A sync from its parts.
        package init(
            sync: String,
            state: SyncStatus.State,
            pending: Int,
            oldestPendingMilliseconds: Int64
        ) {
            self.sync = sync
            self.state = state
            self.pending = pending
            self.oldestPendingMilliseconds = oldestPendingMilliseconds
        }
    }

    /// Of the daemon.
    package var version: String
    /// When the daemon started.
    package var startedAt: EventTime
    /// The oldest of the partitions' ticks; nil before the first.
    package var tick: EventTime?
    /// Users in memory.
    package var users: Int
    /// In any order; shown by number.
    package var partitions: [Partition]
    /// In any order; shown by id.
    package var syncs: [Sync]

    /// A report from its parts.
    package init(
        version: String,
        startedAt: EventTime,
        tick: EventTime?,
        users: Int,
        partitions: [Partition],
        syncs: [Sync]
    ) {
        self.version = version
        self.startedAt = startedAt
        self.tick = tick
        self.users = users
        self.partitions = partitions
        self.syncs = syncs
    }
}

/// What `GET /v1/syncs` shows of one sync.
package struct SyncSummary: Sendable {
    /// Where it stands.
    package var status: SyncStatus
    /// The cohort whose members are sent.
    package var cohort: String
    /// The key `cadence`.
    package var cadence: String
    /// When its next run is due by itself; nil where none is.
    package var nextRun: EventTime?

    /// A summary from its parts.
    package init(status: SyncStatus, cohort: String, cadence: String, nextRun: EventTime?) {
        self.status = status
        self.cohort = cohort
        self.cadence = cadence
        self.nextRun = nextRun
    }
}

/// What `GET /v1/cohorts` shows of one cohort.
package struct CohortSummary: Sendable {
    /// The state of a cohort.
    package enum State: String, Sendable, CaseIterable {
        // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
        case live, building, degraded
    }

    /// Its id.
    package var id: String
    /// Its name.
    package var name: String
    /// Its state.
    package var state: State
    /// How much of its history is read while it is `building`, 0…100; nil where that is not known.
    package var percent: Int?
    /// Members at `tick`.
    package var count: Int
    /// The oldest of the partitions' ticks; nil before the first.
    package var tick: EventTime?
    /// The definition as a JSON document, written out as it is.
    package var definitionJSON: [UInt8]

    /// A summary from its parts.
    package init(
        id: String,
        name: String,
        state: State,
        percent: Int? = nil,
        count: Int,
        tick: EventTime?,
        definitionJSON: [UInt8]
    ) {
        self.id = id
        self.name = name
        self.state = state
        self.percent = percent
        self.count = count
        self.tick = tick
        self.definitionJSON = definitionJSON
    }
}

/// One page of a cohort's members.
package struct MembersPage: Sendable {
    /// The oldest of the partitions' ticks; nil before the first.
    package var tick: EventTime?
    /// Members of the whole cohort.
    package var count: Int
    /// User ids by the bytes of their UTF-8.
    package var users: [String]
    /// Whether members follow the last of `users`.
    package var hasMore: Bool

    /// A page from its parts.
    package init(tick: EventTime?, count: Int, users: [String], hasMore: Bool) {
        self.tick = tick
        self.count = count
        self.users = users
        self.hasMore = hasMore
    }
}
