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
        var count: Int
        var tick: String?
    }

    var cohorts: [Cohort]
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
