import Basics
import Cohorts
import Configuration
import Engine
import Events
import InputFiles
import Replay
import TestKit
import Testing

/// A change of membership, with names instead of numbers.
struct NamedDelta: Equatable, CustomStringConvertible {
    var cohort: String
    var user: [UInt8]
    var entered: Bool

    var description: String {
        "\(entered ? "enter" : "exit") \(cohort) \(String(decoding: user, as: UTF8.self))"
    }
}

/// What one tick did.
struct TickRecord: Equatable {
    var instant: Int64
    var deltas: [NamedDelta]
    /// By cohort in the order of ids; each sorted by bytes.
    var members: [[[UInt8]]]
}

/// What a run did.
struct EngineRecord: Equatable {
    var ticks: [TickRecord] = []
    var rejected = 0
}

/// The checker refused definitions.
struct RefusedDefinitions: Error, CustomStringConvertible {
    let description: String
}

extension OracleCase {
    /// The definitions, compiled.
    func plan() throws -> Plan {
        try Self.plan(yaml: yaml, PlanSettings(for: self))
    }

    /// Other definitions, compiled.
    static func plan(
        yaml: String,
        _ settings: PlanSettings = PlanSettings(inactiveEvents: [])
    ) throws -> Plan {
        let (definitions, problems) = DefinitionParser.parse(
            [DefinitionSource(name: "case.yaml", bytes: Array(yaml.utf8))],
            isTimeZone: { zones[$0] != nil }
        )
        let refused = problems + definitions.flatMap { PlanCompiler.unsupported(in: $0) }
        guard refused.isEmpty else {
            let texts = refused.map(\.description).joined(separator: "\n")
            throw RefusedDefinitions(description: "\(texts)\n\(yaml)")
        }
        return PlanCompiler.compile(definitions, settings)
    }

    /// The zones that definitions may name, from this machine's files.
    fileprivate static let zones: [String: TimeZoneRules] = {
        var zones = ["UTC": TimeZoneRules.utc]
        for name in OracleZone.names {
            zones[name] = ZoneFiles.rules(name)
        }
        return zones
    }()

    /// The settings as replay and shard take them.
    var configuration: ReplayConfiguration {
        var configuration = ReplayConfiguration()
        configuration.dedupe.windowMilliseconds = settings.dedupeWindow
        configuration.limits.futureMaxMilliseconds = settings.futureMax
        configuration.inactiveEvents = settings.inactiveEvents
        return configuration
    }

    /// The ids of the cohorts, in the order of results.
    var cohortIDs: [String] {
        definitions.map(\.id).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// The ticks as replay takes them.
    var rule: TickSchedule.Rule {
        func time(_ milliseconds: Int64) -> EventTime { EventTime(milliseconds: milliseconds) }
        return switch settings.ticks {
        case .at(let instants): .at(Set(instants).sorted().map(time))
        case .every(let width, let from, let until):
            .every(width: width, from: from.map(time), until: until.map(time))
        }
    }

    /// Runs replay over the text; `inspect` sees the shard after every tick.
    func replay(inspect: (borrowing Shard, EventTime) -> Void = { _, _ in }) throws -> EngineRecord
    {
        var record = EngineRecord()
        let plan = try plan()
        var run = ReplayRun(
            plan: plan,
            settings: configuration,
            schedule: rule,
            unordered: settings.unordered
        )
        for (user, cohort) in plan.numbers(of: settings.uploads) {
            user.withByteView { run.upload($0, cohort: cohort) }
        }
        func ticked(_ shard: borrowing Shard, _ tick: EventTime, _ deltas: [Delta]) {
            record.ticks.append(TickRecord(shard, tick, deltas))
            inspect(shard, tick)
        }
        for (index, line) in jsonLines.enumerated() {
            line.withByteView {
                run.read(
                    line: $0,
                    number: index + 1,
                    reject: { _ in record.rejected += 1 },
                    ticked: ticked
                )
            }
        }
        run.finish(ticked: ticked)
        return record
    }

    /// What the oracle says a run must do.
    func expected(
        mistake: Oracle.Mistake = .none,
        tally: OracleTally = OracleTally()
    ) -> (record: EngineRecord, oracle: Oracle) {
        let oracle = Oracle(definitions, lines, settings, mistake: mistake, tally: tally)
        var record = EngineRecord(rejected: oracle.rejected)
        var before = [[[UInt8]]](repeating: [], count: oracle.cohorts.count)
        for tick in oracle.ticks {
            var deltas: [NamedDelta] = []
            for (index, cohort) in oracle.cohorts.enumerated() {
                let old = Set(before[index])
                let new = Set(tick.members[index])
                for user in old.symmetricDifference(new).sorted(by: {
                    $0.lexicographicallyPrecedes($1)
                }) {
                    deltas.append(
                        NamedDelta(cohort: cohort, user: user, entered: new.contains(user))
                    )
                }
            }
            record.ticks.append(
                TickRecord(instant: tick.instant, deltas: deltas, members: tick.members)
            )
            before = tick.members
        }
        return (record, oracle)
    }
}

extension PlanSettings {
    /// What the definitions of a history read of the configuration.
    init(for history: OracleCase) {
        self.init(
            inactiveEvents: Set(history.settings.inactiveEvents),
            defaultZone: history.settings.zone,
            zones: OracleCase.zones
        )
    }
}

extension Plan {
    /// Uploads by bytes of the user and index of the cohort; without those to a cohort that is not there.
    func numbers(of uploads: [OracleUpload]) -> [(user: [UInt8], cohort: Int)] {
        uploads.compactMap { upload in
            cohorts.firstIndex { $0.id == upload.cohort }.map { (Array(upload.user.utf8), $0) }
        }
    }
}

extension TickRecord {
    /// What a tick did, read off the shard; `deltas` in the order in which they are shown.
    init(_ shard: borrowing Shard, _ tick: EventTime, _ deltas: [Delta]) {
        let cohorts = shard.plan.cohorts.map(\.id)
        instant = tick.milliseconds
        var named: [NamedDelta] = []
        for delta in deltas {
            named.append(
                NamedDelta(
                    cohort: cohorts[delta.cohort],
                    user: shard.userID(delta.slot).array,
                    entered: delta.entered
                )
            )
        }
        self.deltas = named
        members = []
        for cohort in cohorts.indices {
            var users: [[UInt8]] = []
            shard.forEachMember(cohort: cohort) { users.append(shard.userID($0).array) }
            members.append(users.sorted { $0.lexicographicallyPrecedes($1) })
        }
    }
}

extension EngineRecord {
    /// In words, the first thing in which this differs from what was expected; nil where nothing does.
    func difference(from expected: EngineRecord, cohorts: [String]) -> String? {
        if self == expected { return nil }
        if rejected != expected.rejected {
            return "rejected \(rejected), expected \(expected.rejected)"
        }
        let instants = ticks.map(\.instant)
        if instants != expected.ticks.map(\.instant) {
            return "ticks at \(instants), expected \(expected.ticks.map(\.instant))"
        }
        for (tick, wanted) in zip(ticks, expected.ticks) where tick != wanted {
            let names = { (users: [[UInt8]]) in users.map { String(decoding: $0, as: UTF8.self) } }
            for index in cohorts.indices where tick.members[index] != wanted.members[index] {
                return """
                    at \(tick.instant) \(cohorts[index]) has \(names(tick.members[index])), \
                    expected \(names(wanted.members[index]))
                    """
            }
            return "at \(tick.instant) the deltas are \(tick.deltas), expected \(wanted.deltas)"
        }
        return "no difference was found, but there is one"
    }
}

extension Seeds {
    /// The one command that repeats a failure.
    static func command(_ seed: UInt64, _ test: String) -> String {
        "COHORTD_SEED=\(seed) swift test --filter 'EngineTests.\(test)'"
    }
}
