extension OracleCase {
    /// What makes histories hard; most have each of them.
    package static let allOddities = [
        "duplicates", "equal times", "future events", "late events", "off-grid instants", "offsets",
    ]

    /// Which of them this one has.
    package var oddities: [String] {
        let log = OracleLog(lines, settings)
        var without = settings
        without.dedupeWindow = 0
        var found: [String] = []
        func note(_ name: String, _ isThere: Bool) { if isThere { found.append(name) } }
        note("duplicates", OracleLog(lines, without).events.count > log.events.count)
        note("equal times", Set(log.events.map(\.time)).count < log.events.count)
        note("future events", log.events.contains { $0.time > $0.arrival })
        var newest = Int64.min
        var isLate = false
        for event in log.events {
            isLate = isLate || event.time < newest
            newest = max(newest, event.time)
        }
        note("late events", isLate)
        note("off-grid instants", log.events.contains { $0.time % 1000 != 0 })
        note("offsets", definitions.contains { $0.users.hasOffset })
        return found
    }
}

extension OracleClause {
    /// Whether a window with an offset stands in it.
    fileprivate var hasOffset: Bool {
        switch window {
        case .last(_, _?), .aligned(_, _, _, _?): true
        default: parts.contains { $0.hasOffset }
        }
    }
}
