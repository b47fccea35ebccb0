/// A second reading of the cohort language, written from its page alone.
///
/// It computes membership at every tick from the whole history. Slow on purpose; shares no code with the
/// engine.
package struct Oracle {
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

    /// Answers everything there is to ask; `tally` learns what was asked.
    package init(
        _ definitions: [OracleDefinition],
        _ lines: [OracleLine],
        _ settings: OracleSettings,
        mistake: Mistake = .none,
        tally: OracleTally = OracleTally()
    ) {
        var settings = settings
        if mistake == .noDedupe { settings.dedupeWindow = 0 }
        if mistake == .inactiveEventsAreActive { settings.inactiveEvents = [] }
        let sorted = definitions.sorted { $0.id.utf8.lexicographicallyPrecedes($1.id.utf8) }
        cohorts = sorted.map(\.id)
        for definition in sorted { tally.notePlaces(definition.users) }
        let log = OracleLog(lines, settings)
        rejected = log.rejected
        let instants = settings.ticks.instants(
            firstArrival: log.firstArrival,
            lastArrival: log.lastArrival
        )
        touched = Self.touched(log, instants, settings)
        var ticks = instants.map {
            Tick(instant: $0, members: [[[UInt8]]](repeating: [], count: sorted.count))
        }
        for (id, user) in Self.users(log, instants, settings, mistake) {
            let around = OracleUser.Surroundings(
                cohort: "",
                zone: .named(settings.zone),
                definitions: sorted,
                tally: tally
            )
            for (index, definition) in sorted.enumerated() {
                let holds = user.holds(definition, around)
                for tick in ticks.indices where user.isKnown[tick] && holds[tick] {
                    ticks[tick].members[index].append(id)
                }
            }
        }
        self.ticks = ticks
    }

    /// Everyone of whom there is a line or an upload, sorted by bytes.
    static func users(
        _ log: OracleLog,
        _ ticks: [Int64],
        _ settings: OracleSettings,
        _ mistake: Mistake = .none
    ) -> [(id: [UInt8], user: OracleUser)] {
        var histories: [[UInt8]: [OracleEvent]] = [:]
        for event in log.events { histories[event.user, default: []].append(event) }
        var uploads: [[UInt8]: Set<String>] = [:]
        for upload in settings.uploads {
            uploads[Array(upload.user.utf8), default: []].insert(upload.cohort)
        }
        let ids = Set(histories.keys).union(uploads.keys)
        return ids.sorted { $0.lexicographicallyPrecedes($1) }.map { id in
            let user = OracleUser(
                histories[id] ?? [],
                uploads: uploads[id] ?? [],
                ticks: ticks,
                settings: settings,
                mistake: mistake
            )
            return (id, user)
        }
    }

    private static func touched(
        _ log: OracleLog,
        _ ticks: [Int64],
        _ settings: OracleSettings
    ) -> [Set<[UInt8]>] {
        var previous: Int64?
        return ticks.map { tick in
            defer { previous = tick }
            let new = log.events.filter { event in
                guard let previous else { return settings.unordered || event.arrival <= tick }
                return !settings.unordered && event.arrival > previous && event.arrival <= tick
            }
            return Set(new.map(\.user))
        }
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
