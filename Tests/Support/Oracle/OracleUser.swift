/// One user's history, and which clauses hold at which tick: everything is looked at anew at every tick.
struct OracleUser {
    /// An event with its place in the log.
    struct Entry {
        var event: OracleEvent
        var place: Int

        var time: Int64 { event.time }
    }

    /// Accepted lines, in log order.
    let entries: [Entry]
    /// Cohorts in whose list the user is.
    let uploads: Set<String>
    let ticks: [Int64]
    let settings: OracleSettings
    let mistake: Oracle.Mistake
    /// Whether the user is known, at each tick.
    private(set) var isKnown: [Bool] = []
    private let assignments: OracleAssignments

    private static let topLevelOfEvents = [
        "price", "quantity", "revenue", "productId", "revenueType", "currency", "session_id",
    ]
    private static let topLevelOfUsers = [
        "platform", "os_name", "os_version", "device_model", "device_type", "carrier", "country",
        "region", "city", "dma", "language", "app_version", "start_version",
    ]

    init(
        _ events: [OracleEvent],
        uploads: Set<String>,
        ticks: [Int64],
        settings: OracleSettings,
        mistake: Oracle.Mistake
    ) {
        entries = events.enumerated().map { Entry(event: $1, place: $0) }
        self.uploads = uploads
        self.ticks = ticks
        self.settings = settings
        self.mistake = mistake
        assignments = OracleAssignments(events, mistake: mistake)
        isKnown = ticks.map { !uploads.isEmpty || !visible(entries, at: $0).isEmpty }
    }

    // MARK: What there is to see

    private func hasArrived(_ arrival: Int64, at tick: Int64) -> Bool {
        settings.unordered || arrival <= tick
    }

    /// What counts at a tick, in log order.
    func visible(_ entries: [Entry], at tick: Int64) -> [Entry] {
        entries.filter {
            hasArrived($0.event.arrival, at: tick) && (mistake == .futureAtOnce || $0.time <= tick)
        }
    }

    /// The time of the earliest event at a tick.
    func firstSeen(at tick: Int64) -> Int64? {
        visible(entries.filter { !$0.event.isIdentify }, at: tick).map(\.time).min()
    }

    func isActive(_ entry: Entry) -> Bool {
        !entry.event.isIdentify
            && !settings.inactiveEvents.contains { Array($0.utf8) == entry.event.type }
    }

    /// All events that pass a filter, in log order.
    func matching(_ filter: OracleFilter, _ tally: OracleTally) -> [Entry] {
        entries.filter { entry in
            if entry.event.isIdentify { return false }
            switch filter.events {
            case .named(let names):
                if !names.contains(where: { Array($0.utf8) == entry.event.type }) { return false }
            case .any: break
            case .active: if !isActive(entry) { return false }
            }
            return filter.whereEvent.allSatisfy {
                tally.holds($0.tests, for: eventProperty($0.name, of: entry.event.line))
            }
                && filter.whereUser.allSatisfy {
                    tally.holds($0.tests, for: carried($0.name, by: entry.event.line))
                }
        }
    }

    // MARK: Properties

    func eventProperty(_ name: String, of line: OracleLine) -> OracleValue? {
        if let value = (line.eventProperties ?? []).lookUp(name) { return value }
        return Self.topLevelOfEvents.contains { sameBytes($0, name) }
            ? line.topLevel.notNull(name) : nil
    }

    /// What the event itself carries: plain keys and `$set`, which wins.
    func carried(_ name: String, by line: OracleLine) -> OracleValue? {
        let given = line.userProperties ?? []
        var merged = given.filter { !OracleAssignments.operations.contains($0.name) }
        if mistake != .setNotCarried {
            for member in given.members(of: "$set") {
                merged.removeAll { sameBytes($0.name, member.name) }
                merged.append(member)
            }
        }
        if let value = merged.lookUp(name) { return value }
        return Self.topLevelOfUsers.contains { sameBytes($0, name) }
            ? line.topLevel.notNull(name) : nil
    }

    /// The value in force at an instant, of what has arrived by a tick: user properties, then what was last
    /// sent at the top level.
    func current(_ name: String, at instant: Int64, arrivedBy tick: Int64) -> OracleValue? {
        func assigned(_ name: String) -> OracleValue? {
            assignments.decided(name) {
                hasArrived($0.arrival, at: tick)
                    && (mistake == .futureAtOnce || $0.time <= instant)
            }
            .value
        }
        if let value = assigned(name) { return value }
        let parts = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        if parts.count > 1, let root = assigned(parts[0]),
            let value = [OracleMember(parts[0], root)].path(parts)
        {
            return value
        }
        guard Self.topLevelOfUsers.contains(where: { sameBytes($0, name) }) else { return nil }
        var newest: (time: Int64, value: OracleValue)?
        for entry in visible(entries, at: tick) where entry.time <= instant {
            guard let value = entry.event.line.topLevel.notNull(name) else { continue }
            if entry.time >= newest?.time ?? .min { newest = (entry.time, value) }
        }
        return newest?.value
    }
}
