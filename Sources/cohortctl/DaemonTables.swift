import Basics

/// What the daemon answers, for people.
enum DaemonTables {
    static func status(_ status: StatusReply, _ readiness: ReadinessReply) -> String {
        var lines = ["cohortd \(status.version), started \(status.startedAt)"]
        if readiness.ready {
            lines.append("ready")
        } else {
            lines += readiness.reasons.map { "not ready: \($0)" }
            if readiness.reasons.isEmpty { lines.append("not ready") }
        }
        lines.append(
            "last tick \(status.tick ?? "none yet"), \(TextTable.count(status.users, "user"))"
        )
        lines.append("")
        lines += TextTable.rows(
            ["PARTITION", "STATE", "OFFSET", "LAG", "LAST TICK"],
            status.partitions.map {
                [
                    "\($0.partition)", $0.state, "\($0.offset)",
                    $0.lag.map { "\($0)" } ?? "unknown",
                    $0.tick ?? "-",
                ]
            },
            empty: "no partitions are assigned"
        )
        lines.append("")
        lines += TextTable.rows(
            ["SYNC", "STATE", "PENDING", "OLDEST"],
            status.syncs.map {
                [
                    $0.sync, $0.state, "\($0.pending)",
                    $0.pending > 0 ? TextTable.age(seconds: $0.oldestPendingSeconds) : "-",
                ]
            },
            empty: "no syncs are configured"
        )
        return TextTable.joined(lines)
    }

    static func cohorts(_ cohorts: [CohortsReply.Cohort]) -> String {
        TextTable.joined(
            TextTable.rows(
                ["ID", "STATE", "MEMBERS", "LAST TICK", "NAME"],
                cohorts.map { [$0.id, $0.progress, "\($0.count)", $0.tick ?? "-", $0.name] },
                empty: "no cohorts are defined"
            )
        )
    }

    static func cohort(_ cohort: CohortsReply.Cohort, definition: String) -> String {
        TextTable.joined([
            "id          \(cohort.id)",
            "name        \(cohort.name)",
            "state       \(cohort.progress)",
            "members     \(cohort.count)",
            "last tick   \(cohort.tick ?? "none yet")",
            "definition",
            definition,
        ])
    }
}
