/// Syncs, for people who have to find out at night why nothing arrives.
enum SyncTables {
    static func list(_ syncs: [SyncReply]) -> String {
        let rows = TextTable.rows(
            ["ID", "STATE", "PENDING", "OLDEST", "COHORT → DESTINATION"],
            syncs.map {
                [
                    $0.id, $0.state, "\($0.pending)",
                    $0.pending > 0 ? age($0.oldestPendingSeconds) : "-",
                    "\($0.cohort) → \($0.destination)",
                ]
            },
            empty: "no syncs are configured"
        )
        guard !syncs.isEmpty else { return TextTable.joined(rows) }
        var lines = [rows[0]]
        for (row, sync) in zip(rows.dropFirst(), syncs) {
            lines.append(row)
            lines += trouble(of: sync).map { "  " + $0 }
        }
        return TextTable.joined(lines)
    }

    static func sync(_ sync: SyncReply) -> String {
        var rows: [(String, String)] = [
            ("id", sync.id), ("cohort", sync.cohort), ("destination", sync.destination),
            ("cadence", sync.cadence + (sync.nextRun.map { ", next run \($0)" } ?? "")),
            ("state", sync.state),
        ]
        for (title, line) in zip(["reason", "what to do"], trouble(of: sync)) {
            rows.append((title, line))
        }
        rows += [
            (
                "pending",
                TextTable.count(sync.pending, "user")
                    + (sync.pending > 0 ? ", the first for \(age(sync.oldestPendingSeconds))" : "")
            ),
            ("there", TextTable.count(sync.acknowledged, "user")),
            ("skipped", TextTable.count(sync.skipped, "user")),
        ]
        if let percent = sync.initialPercent {
            let left = sync.initialSecondsLeft.map { ", about \(age($0)) left" } ?? ""
            rows.append(("first users", "\(percent) % of them sent\(left)"))
        }
        if let seconds = sync.retrySeconds { rows.append(("next attempt", "in \(age(seconds))")) }
        if let run = sync.lastRun {
            rows.append(
                (
                    "last run",
                    "\(run.tick) \(run.result): \(run.delivered) of "
                        + "\(TextTable.count(run.users, "user")) delivered, \(run.skipped) skipped"
                )
            )
        }
        let counts = sync.sinceStart
        rows.append(
            (
                "since start",
                "\(counts.delivered) delivered, \(counts.accepted) accepted, \(counts.unknown) unknown"
            )
        )
        return TextTable.joined(
            rows.map { title, text in
                title + String(repeating: " ", count: 14 - title.count) + TextTable.shown(text)
            }
        )
    }

    static func answer(_ sync: SyncReply, to command: String) -> String {
        TextTable.joined(["\(command): done, sync \(sync.id) is \(sync.state)"] + trouble(of: sync))
    }

    /// Why it does not go on, and what to do; nothing where it does.
    private static func trouble(of sync: SyncReply) -> [String] {
        guard let reason = sync.reason else { return [] }
        let duration = sync.reasonSeconds.map { " (for \(age($0)))" } ?? ""
        let remedy: String
        if let exits = sync.exitsToApprove {
            remedy =
                "if \(TextTable.count(exits, "user")) may leave: cohortctl syncs approve \(sync.id) --yes"
        } else if sync.state == "paused" || sync.state == "failed" {
            remedy = "once that is mended: cohortctl syncs resume \(sync.id)"
        } else {
            remedy =
                "it is tried again by itself"
                + (sync.retrySeconds.map { ", next in \(age($0))" } ?? "")
        }
        return [TextTable.shown(reason) + duration, remedy]
    }

    private static func age(_ seconds: Int64) -> String { TextTable.age(seconds: Double(seconds)) }
}
