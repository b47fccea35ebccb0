/// The body of `GET /v1/status`.
///
/// Source: docs/api.md, as of all of these.
struct StatusReply: Decodable {
    struct Partition: Decodable {
        var partition: Int
        var state: String
        var offset: Int64
        var lag: Int64?
        var tick: String?
    }

    struct Sync: Decodable {
        var sync: String
        var state: String
        var pending: Int
        var oldestPendingSeconds: Double

        private enum CodingKeys: String, CodingKey {
            case sync, state, pending
            case oldestPendingSeconds = "oldest_pending_seconds"
        }
    }

    var version: String
    var startedAt: String
    var tick: String?
    var users: Int
    var partitions: [Partition]
    var syncs: [Sync]

    private enum CodingKeys: String, CodingKey {
        case version, tick, users, partitions, syncs
        case startedAt = "started_at"
    }
}

/// The body of `GET /readyz`.
struct ReadinessReply: Decodable {
    var ready: Bool
    var reasons: [String]
}

/// The body of `GET /v1/cohorts`, without the definitions.
struct CohortsReply: Decodable {
    struct Cohort: Decodable {
        var id: String
        var name: String
        var state: String
        /// How much of its history is read while it is `building`.
        var percent: Int?
        var count: Int
        var tick: String?

        /// `building 41 %`.
        var progress: String { percent.map { "\(state) \($0) %" } ?? state }
    }

    var cohorts: [Cohort]
}

/// The answer to a change of the definitions.
struct ChangesReply: Decodable {
    var changes: String
}

/// The body of `GET /v1/syncs`.
struct SyncsReply: Decodable {
    var syncs: [SyncReply]
}

/// The body of `GET /v1/syncs/{id}`, and of the answer to a command.
struct SyncReply: Decodable {
    struct Counts: Decodable {
        var delivered: Int64
        var accepted: Int64
        var unknown: Int64
    }

    struct Run: Decodable {
        var tick: String
        var result: String
        var users: Int
        var delivered: Int
        var skipped: Int
    }

    var id: String
    var cohort: String
    var destination: String
    var cadence: String
    var state: String
    var reason: String?
    var reasonSeconds: Int64?
    var pending: Int
    var oldestPendingSeconds: Int64
    var acknowledged: Int
    var skipped: Int
    var sinceStart: Counts
    var initialPercent: Int?
    var initialSecondsLeft: Int64?
    var exitsToApprove: Int?
    var retrySeconds: Int64?
    var nextRun: String?
    var lastRun: Run?

    private enum CodingKeys: String, CodingKey {
        case id, cohort, destination, cadence, state, reason, pending, acknowledged, skipped
        case reasonSeconds = "reason_seconds"
        case oldestPendingSeconds = "oldest_pending_seconds"
        case sinceStart = "since_start"
        case initialPercent = "initial_percent"
        case initialSecondsLeft = "initial_seconds_left"
        case exitsToApprove = "exits_to_approve"
        case retrySeconds = "retry_seconds"
        case nextRun = "next_run"
        case lastRun = "last_run"
    }
}

/// The body of `POST /v1/time/accept`.
struct TimeReply: Decodable {
    var now: String
    var tick: String?
}

/// The body of `POST /v1/kafka/rebase` and `POST /v1/kafka/skip`.
struct LogReply: Decodable {
    struct Step: Decodable {
        var partition: Int
        var from: Int64
        var to: Int64
    }

    var topic: String
    var partitions: [Step]
}

/// The body of `GET /v1/cohorts/{id}/members`.
struct MembersReply: Decodable {
    var users: [String]
    var next: String?
}

/// The body of every error.
struct ErrorReply: Decodable {
    struct Content: Decodable {
        var code: String
        var text: String
    }

    var error: Content
}
