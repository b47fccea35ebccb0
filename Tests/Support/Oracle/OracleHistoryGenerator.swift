import Basics

/// Makes histories: users, events, property values, late, future, equal times, duplicates, rejects, ticks.
struct OracleHistoryGenerator {
    private let limits: OracleCase.Limits
    private let base: Int64
    /// From the first to the last arrival, roughly.
    let spanSeconds: Int
    private let users: [OracleValue]
    private let types: [String]
    private var usedTimes: Set<Int64> = []

    private static let allTypes = ["buy", "view", "ping", "open"]

    init(limits: OracleCase.Limits, _ generator: inout SeededGenerator) {
        self.limits = limits
        // Also around and before 1970, where remainders change sign.
        base = generator.pick([1_767_607_200_000, 1_767_607_200_000, 0, -1000, -157_766_400_000])
        spanSeconds = generator.pick([5, 20, 60, 180, 600])
        users = Array(
            [
                .text("a"), .text("b"), .number("7"), .text("\u{e9}"), .text("e\u{301}"),
                .text("device:d1"),
            ]
            .prefix(generator.number(in: 1...6))
        )
        types = Array(Self.allTypes.prefix(generator.number(in: 1...4)))
    }

    func settings(_ generator: inout SeededGenerator) -> OracleSettings {
        var settings = OracleSettings()
        settings.inactiveEvents = Self.allTypes.filter { _ in generator.chance(percent: 25) }
        settings.dedupeWindow = generator.pick([0, 1000, 10_000, 60_000, 604_800_000])
        settings.futureMax = generator.pick([0, 5000, 60_000, 604_800_000])
        settings.unordered = limits.orderFree || generator.chance(percent: 10)
        return settings
    }

    mutating func lines(
        _ settings: OracleSettings,
        _ generator: inout SeededGenerator
    ) -> [OracleLine] {
        var lines: [OracleLine] = []
        let count = generator.pick([0, 1, 3, 8, 8, 20, 20, 40])
        var arrival = base
        for _ in 0..<count {
            if !limits.orderFree {
                arrival += Int64(step(count, &generator))
                if generator.chance(percent: 5) {
                    arrival -= Int64(generator.number(in: 0...20_000))
                }
            }
            if !limits.orderFree, !lines.isEmpty, generator.chance(percent: 10) {
                var again = generator.pick(lines)
                again.received = arrival
                lines.append(again)
            } else {
                lines.append(line(arrival: arrival, &generator))
            }
        }
        return lines
    }

    private func step(_ count: Int, _ generator: inout SeededGenerator) -> Int {
        let mean = max(1, spanSeconds / max(1, count))
        return switch generator.below(10) {
        case 0..<3: 0
        case 3..<8: 1000 * generator.number(in: 0...(2 * mean))
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
        if !limits.orderFree, generator.chance(percent: 35) {
            line.insertID = generator.pick([
                .text("i1"), .text("i2"), .text("7"), .number("7"), .text(""),
            ])
        }
        if generator.chance(percent: 50) { line.eventProperties = eventProperties(&generator) }
        if generator.chance(percent: 10) {
            line.topLevel.append(OracleMember("price", OracleValues.any(&generator)))
        }
        if !limits.orderFree || line.time.map({ usedTimes.insert($0).inserted }) ?? false {
            if generator.chance(percent: 40) { line.userProperties = userProperties(&generator) }
            if generator.chance(percent: 10) {
                line.topLevel.append(OracleMember("country", OracleValues.any(&generator)))
            }
        }
        if generator.chance(percent: 3) { spoil(&line, &generator) }
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

    private func eventProperties(_ generator: inout SeededGenerator) -> [OracleMember] {
        var members: [OracleMember] = []
        for name in ["p", "price", "cart.total"] where generator.chance(percent: 45) {
            members.append(OracleMember(name, OracleValues.any(&generator)))
        }
        if generator.chance(percent: 30) {
            members.append(OracleMember("cart", OracleValues.cart(&generator)))
        }
        return members
    }

    private func userProperties(_ generator: inout SeededGenerator) -> [OracleMember] {
        var members: [OracleMember] = []
        for name in ["tier", "country", "cart.total"] where generator.chance(percent: 40) {
            members.append(OracleMember(name, OracleValues.any(&generator)))
        }
        if generator.chance(percent: 25) {
            members.append(OracleMember("cart", OracleValues.cart(&generator)))
        }
        if generator.chance(percent: 30) {
            // Not null beside a plain key: the page does not say what `where_user` reads then.
            let set = ["tier", "country"].compactMap { name -> OracleMember? in
                guard generator.chance(percent: 60) else { return nil }
                let value = OracleValues.any(&generator)
                if value.isNull, members.contains(where: { $0.name == name }) { return nil }
                return OracleMember(name, value)
            }
            members.append(OracleMember("$set", .object(set)))
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
            return .at((0..<generator.number(in: 1...20)).map { _ in instant(&generator) })
        }
        let widths: [Int64] = [1000, 1500, 5000, 7000, 60_000]
        let width = generator.pick(widths.filter { $0 * 60 >= span })
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
