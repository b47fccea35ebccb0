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
        lines.append("last tick \(status.tick ?? "none yet"), \(count(status.users, "user"))")
        lines.append("")
        lines += table(
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
        lines += table(
            ["SYNC", "STATE", "PENDING", "OLDEST"],
            status.syncs.map {
                [
                    $0.sync, $0.state, "\($0.pending)",
                    $0.pending > 0 ? age(seconds: $0.oldestPendingSeconds) : "-",
                ]
            },
            empty: "no syncs are configured"
        )
        return joined(lines)
    }

    static func cohorts(_ cohorts: [CohortsReply.Cohort]) -> String {
        joined(
            table(
                ["ID", "STATE", "MEMBERS", "LAST TICK", "NAME"],
                cohorts.map { [$0.id, $0.state, "\($0.count)", $0.tick ?? "-", $0.name] },
                empty: "no cohorts are defined"
            )
        )
    }

    static func cohort(_ cohort: CohortsReply.Cohort, definition: String) -> String {
        joined([
            "id          \(cohort.id)",
            "name        \(cohort.name)",
            "state       \(cohort.state)",
            "members     \(cohort.count)",
            "last tick   \(cohort.tick ?? "none yet")",
            "definition",
            definition,
        ])
    }

    private static func count(_ number: Int, _ noun: String) -> String {
        "\(number) \(noun)\(number == 1 ? "" : "s")"
    }

    /// `3s`, `12m`, `5h`, `3d`: one unit is enough to see what is wrong.
    private static func age(seconds: Double) -> String {
        let whole = Int64(max(0, min(seconds, 1e12)))
        switch whole {
        case ..<120: return "\(whole)s"
        case ..<7200: return "\(whole / 60)m"
        case ..<172_800: return "\(whole / 3600)h"
        default: return "\(whole / 86_400)d"
        }
    }

    /// Columns as wide as their widest text; the last one is not filled up.
    private static func table(_ titles: [String], _ rows: [[String]], empty: String) -> [String] {
        if rows.isEmpty { return [empty] }
        let all = [titles] + rows.map { $0.map(shown) }
        let widths = titles.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        return all.map { row in
            row.enumerated().map { column, text in
                column == row.count - 1
                    ? text : text + String(repeating: " ", count: widths[column] - text.count)
            }.joined(separator: "  ")
        }
    }

    /// Control characters of a name as spaces, so that it cannot break a table or steer a terminal.
    private static func shown(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 }
            )
        )
    }

    private static func joined(_ lines: [String]) -> String {
        lines.joined(separator: "\n") + "\n"
    }
}
