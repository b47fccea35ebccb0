/// A second reading of the cohort language, written from its page alone.
///
/// It computes membership at every tick from the whole history. Slow on purpose; shares no code with the
/// engine.
package struct Oracle {
    /// A deliberate mistake: a comparison that does not notice it is dead.
    package enum Mistake: String, CaseIterable, Sendable {
        case none
        /// T − W ≤ t instead of T − W < t.
        case windowClosedAtTheLeft
        /// t < T instead of t ≤ T.
        case windowOpenAtTheRight
        case offsetIgnored
        /// Property values by log order.
        case newestByLogOrder
        /// Of assignments of one time the first one.
        case tiesByTheFirst
        /// Every duplicate counts.
        case noDedupe
        /// Events from the future count at once.
        case futureAtOnce
        /// `not` holds for those nobody knows yet: those of whom there is only an event to come.
        case inactiveEventsAreActive
        /// `where_user` reads nothing but plain keys.
        case setNotCarried
    }

    /// One tick's answer.
    package struct Tick: Sendable {
        /// The instant.
        package var instant: Int64
        /// Members by cohort, in the order of ``Oracle/cohorts``, each sorted by bytes.
        package var members: [[[UInt8]]]
    }

    /// Ids, sorted by bytes.
    package let cohorts: [String]
    /// All ticks.
    package let ticks: [Tick]
    /// How many lines were rejected.
    package let rejected: Int
    /// Ids of users of whom a line that counts arrived, by the tick that first could see it.
    package let touched: [Set<[UInt8]>]

    /// Answers everything there is to ask.
    package init(
        _ definitions: [OracleDefinition],
        _ lines: [OracleLine],
        _ settings: OracleSettings,
        mistake: Mistake = .none
    ) {
        var settings = settings
        if mistake == .noDedupe { settings.dedupeWindow = 0 }
        if mistake == .inactiveEventsAreActive { settings.inactiveEvents = [] }
        let sorted = definitions.sorted {
            $0.id.utf8.lexicographicallyPrecedes($1.id.utf8)
        }
        cohorts = sorted.map(\.id)
        let log = OracleLog(lines, settings)
        rejected = log.rejected
        var ticks: [Tick] = []
        var touched: [Set<[UInt8]>] = []
        var previous: Int64?
        let instants = settings.ticks.instants(
            firstArrival: log.firstArrival,
            lastArrival: log.lastArrival
        )
        for instant in instants {
            let arrived =
                settings.unordered ? log.events : log.events.filter { $0.arrival <= instant }
            let visible = arrived.filter { mistake == .futureAtOnce || $0.time <= instant }
            var histories: [[UInt8]: [OracleEvent]] = [:]
            for event in visible { histories[event.user, default: []].append(event) }
            let users = histories.keys.sorted { $0.lexicographicallyPrecedes($1) }
            let views = users.map { user in
                OracleView(
                    events: histories[user] ?? [],
                    tick: instant,
                    definitions: definitions,
                    inactiveEvents: settings.inactiveEvents.map { Array($0.utf8) },
                    mistake: mistake
                )
            }
            ticks.append(
                Tick(
                    instant: instant,
                    members: sorted.map { definition in
                        zip(users, views).filter { $1.satisfies(definition.users) }.map(\.0)
                    }
                )
            )
            let new = arrived.filter { event in
                guard let previous else { return true }
                return settings.unordered ? false : event.arrival > previous
            }
            touched.append(Set(new.map(\.user)))
            previous = instant
        }
        self.ticks = ticks
        self.touched = touched
    }

    /// Where a line that comes when `newest` is the running maximum of arrivals moves it.
    package static func arrival(
        of line: OracleLine,
        after newest: Int64?,
        _ settings: OracleSettings
    ) -> (newest: Int64?, isAccepted: Bool) {
        var line = line
        line.received = (line.received ?? line.time).map { max($0, newest ?? $0) }
        let log = OracleLog([line], settings)
        return (log.newestArrival ?? newest, !log.events.isEmpty)
    }
}

/// One known user at one tick.
private struct OracleView {
    /// Accepted, with time ≤ T, in log order.
    let events: [OracleEvent]
    let tick: Int64
    let definitions: [OracleDefinition]
    let inactiveEvents: [[UInt8]]
    let mistake: Oracle.Mistake

    private static let topLevelOfEvents = [
        "price", "quantity", "revenue", "productId", "revenueType", "currency", "session_id",
    ]
    private static let topLevelOfUsers = [
        "platform", "os_name", "os_version", "device_model", "device_type", "carrier", "country",
        "region", "city", "dma", "language", "app_version", "start_version",
    ]

    func satisfies(_ clause: OracleClause) -> Bool {
        switch clause {
        case .all(let parts): return parts.allSatisfy { satisfies($0) }
        case .any(let parts): return parts.contains { satisfies($0) }
        case .not(let part): return !satisfies(part)
        case .performed(let performed):
            let matching = events.filter { matches($0, performed) }
            let count = matching.filter { isInside($0.time, performed.window) }.count
            if performed.count.isEmpty { return count >= 1 }
            return OracleTest.allHold(performed.count, for: count)
        case .active(let window):
            return events.contains { isActive($0) && isInside($0.time, window) }
        case .inactive(let window):
            return !events.contains { isActive($0) && isInside($0.time, window) }
        case .new(let window):
            guard let first = events.filter({ !$0.isIdentify }).map(\.time).min() else {
                return false
            }
            return isInside(first, window)
        case .property(let properties):
            return properties.allSatisfy { OracleTest.allHold($0.tests, for: current($0.name)) }
        case .memberOf(let id):
            guard let other = definitions.first(where: { sameBytes($0.id, id) }) else {
                return false
            }
            return satisfies(other.users)
        }
    }

    private func isActive(_ event: OracleEvent) -> Bool {
        !event.isIdentify && !inactiveEvents.contains(event.type)
    }

    private func isInside(_ time: Int64, _ window: OracleWindow) -> Bool {
        switch window {
        case .anyTime: return time <= tick
        case .last(let length, let offset):
            let end = tick - (mistake == .offsetIgnored ? 0 : offset ?? 0)
            let start = end - length
            let isAfterStart = mistake == .windowClosedAtTheLeft ? time >= start : time > start
            return isAfterStart && (mistake == .windowOpenAtTheRight ? time < end : time <= end)
        }
    }

    private func matches(_ event: OracleEvent, _ performed: OraclePerformed) -> Bool {
        if event.isIdentify { return false }
        switch performed.events {
        case .named(let names):
            if !names.contains(where: { Array($0.utf8) == event.type }) { return false }
        case .any: break
        case .active: if !isActive(event) { return false }
        }
        return performed.whereEvent.allSatisfy {
            OracleTest.allHold($0.tests, for: eventProperty($0.name, of: event.line))
        }
            && performed.whereUser.allSatisfy {
                OracleTest.allHold($0.tests, for: carried($0.name, by: event.line))
            }
    }

    private func eventProperty(_ name: String, of line: OracleLine) -> OracleValue? {
        if let value = (line.eventProperties ?? []).lookUp(name) { return value }
        return Self.topLevelOfEvents.contains { sameBytes($0, name) }
            ? line.topLevel.notNull(name) : nil
    }

    /// What the event itself carries: plain keys and `$set`, which wins.
    private func carried(_ name: String, by line: OracleLine) -> OracleValue? {
        let given = line.userProperties ?? []
        var merged = given.filter { !$0.name.hasPrefix("$") }
        if mistake != .setNotCarried {
            for member in Self.set(given) {
                merged.removeAll { sameBytes($0.name, member.name) }
                merged.append(member)
            }
        }
        if let value = merged.lookUp(name) { return value }
        return Self.topLevelOfUsers.contains { sameBytes($0, name) }
            ? line.topLevel.notNull(name) : nil
    }

    private static func set(_ given: [OracleMember]) -> [OracleMember] {
        guard case .object(let members) = given.notNull("$set") else { return [] }
        return members
    }

    /// The value in force: user properties, then what was last sent at the top level.
    private func current(_ name: String) -> OracleValue? {
        if let value = newest({ Self.assignments($0) }, name) { return value }
        let parts = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        if parts.count > 1, let root = newest({ Self.assignments($0) }, parts[0]),
            let value = [OracleMember(parts[0], root)].lookUp(name)
        {
            return value
        }
        guard Self.topLevelOfUsers.contains(where: { sameBytes($0, name) }) else { return nil }
        return newest({ line in line.topLevel.filter { !$0.value.isNull } }, name)
    }

    /// Plain keys, then those of `$set`.
    private static func assignments(_ line: OracleLine) -> [OracleMember] {
        let given = line.userProperties ?? []
        return given.filter { !$0.name.hasPrefix("$") } + set(given)
    }

    /// The newest by event time, ties by log order; nil where it is null or there is none.
    private func newest(_ members: (OracleLine) -> [OracleMember], _ name: String) -> OracleValue? {
        var best: (time: Int64, value: OracleValue)?
        for event in events {
            guard let member = members(event.line).last(where: { sameBytes($0.name, name) }) else {
                continue
            }
            let replaces =
                switch mistake {
                case .newestByLogOrder: true
                case .tiesByTheFirst: event.time > best?.time ?? .min
                default: event.time >= best?.time ?? .min
                }
            if replaces { best = (event.time, member.value) }
        }
        guard let value = best?.value, !value.isNull else { return nil }
        return value
    }
}
