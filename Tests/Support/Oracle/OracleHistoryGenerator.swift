import Basics

/// Makes histories: users, events, property values, late, future, equal times, duplicates, rejects, ticks.
struct OracleHistoryGenerator {
    let scene: OracleScene
    private let limits: OracleCase.Limits
    private let users: [OracleValue]
    private let types: [String]
    private var usedTimes: Set<Int64> = []

    private static let allTypes = ["buy", "view", "ping", "open"]
    /// Longer than what stands in a user's row.
    private static let longID = String(repeating: "b", count: 70)

    /// What every history that is long enough has at least one of.
    private enum Oddity: CaseIterable {
        case late, future, duplicate, equalTime
    }

    private var base: Int64 { scene.base }
    private var spanSeconds: Int { scene.spanSeconds }

    init(limits: OracleCase.Limits, _ generator: inout SeededGenerator) {
        self.limits = limits
        scene = OracleScene(&generator)
        users = Array(
            [
                .text("a"), .text(Self.longID), .number("7"), .text("\u{e9}"), .text("e\u{301}"),
                .text("device:d1"),
            ]
            .prefix(generator.pick([1, 1, 2, 2, 3, 6]))
        )
        types = Array(Self.allTypes.prefix(generator.number(in: 1...4)))
    }

    func settings(_ generator: inout SeededGenerator) -> OracleSettings {
        var settings = OracleSettings()
        settings.inactiveEvents = Self.allTypes.filter { _ in generator.chance(percent: 25) }
        settings.dedupeWindow = generator.pick([
            0, 60_000, 604_800_000, 604_800_000, 604_800_000, 604_800_000,
        ])
        settings.futureMax = generator.pick([0, 5000, 60_000, 604_800_000, 2_592_000_000])
        settings.unordered = limits.orderFree || generator.chance(percent: 10)
        settings.zone = generator.chance(percent: 50) ? "UTC" : generator.pick(scene.zones)
        return settings
    }

    mutating func lines(
        _ settings: OracleSettings,
        _ generator: inout SeededGenerator
    ) -> [OracleLine] {
        var lines: [OracleLine] = []
        let count = generator.pick([1, 4, 8, 8, 10, 12, 12, 20, 30])
        var arrival = base
        var owed: [Int: Oddity] = [:]
        if count >= 6, !limits.orderFree {
            for (index, oddity) in Oddity.allCases.enumerated() {
                owed[2 + index + 4 * generator.below((count - 2) / 4)] = oddity
            }
        }
        for index in 0..<count {
            if !limits.orderFree {
                arrival += Int64(step(count, &generator))
                if generator.chance(percent: 5) {
                    arrival -= Int64(generator.number(in: 0...20_000))
                }
            }
            let isAgain = owed[index] == .duplicate || generator.chance(percent: 12)
            if !limits.orderFree, !lines.isEmpty, isAgain {
                let original = generator.below(lines.count)
                if lines[original].insertID == nil { lines[original].insertID = .text("again") }
                var again = lines[original]
                again.received = arrival
                lines.append(again)
                continue
            }
            var line = line(arrival: arrival, &generator)
            switch owed[index] {
            case .late:
                line.received = arrival
                line.time = arrival - Int64(generator.number(in: 1...max(1, spanSeconds * 900)))
            case .future:
                line.received = arrival
                let ahead = min(settings.futureMax, Int64(spanSeconds) * 600)
                line.time = arrival + Int64(generator.number(in: 0...Int(ahead)))
            case .equalTime: line.time = generator.pick(lines).time ?? line.time
            case .duplicate, nil: break
            }
            lines.append(line)
        }
        return lines
    }

    private func step(_ count: Int, _ generator: inout SeededGenerator) -> Int {
        let mean = max(1, spanSeconds / max(1, count))
        return switch generator.below(10) {
        case 0..<2: 0
        case 2..<7: 1000 * generator.number(in: 0...(2 * mean))
        default: generator.number(in: 0...(2000 * mean))
        }
    }

    private mutating func line(arrival: Int64, _ generator: inout SeededGenerator) -> OracleLine {
        var line = OracleLine()
        line.time = time(near: arrival, &generator)
        line.received = arrival
        if !limits.orderFree {
            if generator.chance(percent: 30) {
                line.received = nil
            } else if generator.chance(percent: 5) {
                line.time = nil
            }
        }
        line.type = .text(
            generator.chance(percent: 10)
                ? "$identify"
                : generator.chance(percent: 2) ? "$groupidentify" : generator.pick(types)
        )
        line.user = generator.pick(users)
        if generator.chance(percent: 20) {
            line.device = generator.pick([.text("d1"), .text("d2"), .number("3")])
            if generator.chance(percent: 60) {
                line.user = generator.pick([nil, .null, .text("")])
            }
        }
        if !limits.orderFree, generator.chance(percent: 20) {
            line.insertID = generator.pick([
                .text("i1"), .text("i2"), .text("7"), .number("7"), .text(""),
            ])
        }
        if generator.chance(percent: 90) {
            line.eventProperties = members(
                OracleDefinitionGenerator.eventProperties,
                percent: 70,
                &generator
            )
        }
        if generator.chance(percent: 90) {
            // What `same` asks for must be there often, and few values must come again.
            line.eventProperties?.removeAll { $0.name == "item" }
            line.eventProperties?.append(
                OracleMember("item", OracleValues.value(of: "item", &generator))
            )
        }
        if generator.chance(percent: 10) {
            line.topLevel.append(
                OracleMember("price", OracleValues.value(of: "price", &generator))
            )
        }
        if !limits.orderFree || line.time.map({ usedTimes.insert($0).inserted }) ?? false {
            if generator.chance(percent: 70) { line.userProperties = userProperties(&generator) }
            for name in ["country", "app_version"] where generator.chance(percent: 12) {
                line.topLevel.append(OracleMember(name, OracleValues.value(of: name, &generator)))
            }
        }
        if generator.chance(percent: 2) { spoil(&line, &generator) }
        return line
    }

    private func time(near arrival: Int64, _ generator: inout SeededGenerator) -> Int64 {
        let seconds = Int64(generator.number(in: 0...max(1, spanSeconds / 2)))
        return switch generator.below(10) {
        case 0..<5: arrival
        case 5: arrival - seconds * 1000
        case 6: arrival - Int64(generator.number(in: 0...(spanSeconds * 1000)))
        case 7: arrival + seconds * 1000
        case 8: arrival + Int64(generator.number(in: 0...20_000))
        default: base + Int64(generator.number(in: 0...spanSeconds)) * 1000
        }
    }

    private func members(
        _ names: [String],
        percent: Int,
        _ generator: inout SeededGenerator
    ) -> [OracleMember] {
        names.compactMap { name in
            generator.chance(percent: percent)
                ? OracleMember(name, OracleValues.value(of: name, &generator)) : nil
        }
    }

    private func userProperties(_ generator: inout SeededGenerator) -> [OracleMember] {
        let names = OracleDefinitionGenerator.userProperties
        var members = members(names, percent: 65, &generator)
        if generator.chance(percent: 30) {
            // Not null beside a plain key: the page does not say what `where_user` reads then.
            let set = self.members(names, percent: 40, &generator).filter { member in
                !member.value.isNull || !members.contains { $0.name == member.name }
            }
            members.append(OracleMember("$set", .object(set)))
        }
        if !limits.orderFree, generator.chance(percent: 45) {
            members += operations(names, &generator)
        }
        if generator.chance(percent: 3) { members.append(OracleMember("$other", .number("1"))) }
        return members
    }

    private func operations(
        _ names: [String],
        _ generator: inout SeededGenerator
    ) -> [OracleMember] {
        var members: [OracleMember] = []
        for operation in OracleAssignments.operations.dropFirst()
        where generator.chance(percent: 25) {
            let name = generator.pick(["tags", "score", generator.pick(names)])
            let value: OracleValue
            switch operation {
            case "$clearAll":
                if generator.chance(percent: 60) { continue }
                value = generator.pick([.text("-"), .boolean(true), .number("0")])
            case "$unset":
                value =
                    generator.chance(percent: 50)
                    ? .array([.text(name), .text("tier")])
                    : .object([OracleMember(name, .text("-"))])
            case "$add":
                let name = generator.pick(["score", "score", name])
                value = .object([OracleMember(name, OracleValues.number(&generator))])
            case "$setOnce":
                let once = OracleValues.value(of: name, &generator)
                // Null is no value that could be set once.
                value = .object([OracleMember(name, once.isNull ? .text("a") : once)])
            default:
                value = .object([OracleMember(name, OracleValues.tagList(&generator))])
            }
            members.append(
                OracleMember(operation, generator.chance(percent: 3) ? .text("no map") : value)
            )
        }
        return members
    }

    /// Makes it a line that is rejected.
    private func spoil(_ line: inout OracleLine, _ generator: inout SeededGenerator) {
        switch generator.below(4) {
        case 0:
            line.user = nil
            line.device = .text("")
        case 1: line.type = .null
        case 2: line.type = nil
        default:
            line.time = nil
            line.received = nil
        }
    }

    func uploads(
        to definitions: [OracleDefinition],
        _ generator: inout SeededGenerator
    ) -> [OracleUpload] {
        var uploads: [OracleUpload] = []
        for definition in definitions {
            let percent = definition.users.asksForUploads ? 50 : 2
            for user in ["a", Self.longID, "7", "device:d1", "never seen"]
            where generator.chance(percent: percent) {
                uploads.append(OracleUpload(cohort: definition.id, user: user))
            }
        }
        return uploads
    }

    func ticks(
        _ lines: [OracleLine],
        _ settings: OracleSettings,
        _ generator: inout SeededGenerator
    ) -> OracleTicks {
        let span = Int64(spanSeconds) * 1000
        func instant(_ generator: inout SeededGenerator) -> Int64 {
            let offset = Int64(generator.number(in: -2000...Int(span * 2 + 5000)))
            return base + (generator.chance(percent: 60) ? offset / 1000 * 1000 : offset)
        }
        if generator.chance(percent: 30) {
            return .at((0..<generator.number(in: 3...25)).map { _ in instant(&generator) })
        }
        let widths: [Int64] = [
            1000, 1500, 5000, 7000, 60_000, 3_600_000, 21_600_000, 86_400_000, 90_000_000,
            259_200_000,
        ]
        let fitting = widths.filter { $0 * 40 >= span }
        let width = generator.pick(Array(fitting.prefix(3)))
        switch generator.below(8) {
        case 0: return .every(width, from: nil, until: nil)
        case 1: return .every(width, from: nil, until: instant(&generator))
        case 2..<6: return .every(width, from: nil, until: base + span * 3 / 2)
        case 6: return .every(width, from: instant(&generator), until: nil)
        default:
            let ends = [instant(&generator), instant(&generator)].sorted()
            return .every(width, from: ends[0], until: ends[1])
        }
    }
}
