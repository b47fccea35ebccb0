/// Tells which clauses say something about a history: those that hold now and then.
///
/// At random most hold never or always, and a comparison that sees nothing else proves little.
struct OracleGuide {
    private let users: [OracleUser]
    private let settings: OracleSettings
    private let candidatesMax = 10

    init(_ lines: [OracleLine], _ settings: OracleSettings) {
        let log = OracleLog(lines, settings)
        let ticks = settings.ticks.instants(
            firstArrival: log.firstArrival,
            lastArrival: log.lastArrival
        )
        users = Oracle.users(log, ticks, settings).map(\.user)
        self.settings = settings
    }

    /// Of some clauses the first that holds neither rarely nor nearly always, else the one that comes
    /// closest to it.
    func pick(zone: String?, _ next: () -> OracleClause) -> OracleClause {
        var best = next()
        var bestDistance = distance(best, zone)
        for _ in 1..<candidatesMax where bestDistance > 0.3 {
            let candidate = next()
            let distance = distance(candidate, zone)
            if distance < bestDistance { (best, bestDistance) = (candidate, distance) }
        }
        return best
    }

    /// How far the share of users and ticks of which it holds is from a half.
    private func distance(_ clause: OracleClause, _ zone: String?) -> Double {
        let around = OracleUser.Surroundings(
            cohort: "",
            zone: .named(zone ?? settings.zone),
            definitions: [],
            tally: OracleTally()
        )
        var asked = 0
        var held = 0
        for user in users {
            let truths = user.holds(clause, around)
            for (isKnown, holds) in zip(user.isKnown, truths) where isKnown {
                asked += 1
                if holds { held += 1 }
            }
        }
        return asked == 0 ? 0 : abs(Double(held) / Double(asked) - 0.5)
    }
}
