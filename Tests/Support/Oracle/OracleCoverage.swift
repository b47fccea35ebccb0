/// How much of what can happen did happen in the cases that were compared.
package struct OracleCoverage: Sendable, CustomStringConvertible {
    private var counts: [String: OracleTally.Count] = [:]
    /// Histories.
    package private(set) var cases = 0
    private var ticks = 0
    private var enters = 0
    private var exits = 0
    /// Flips of users of whom nothing arrived since the tick before.
    private var byClock = 0
    /// Histories with what makes them hard, by its name.
    private var oddities: [String: Int] = [:]

    /// Nothing seen yet.
    package init() {}

    /// Adds a case.
    package mutating func add(_ history: OracleCase, _ oracle: Oracle, _ tally: OracleTally) {
        merge(tally.counts)
        cases += 1
        ticks += oracle.ticks.count
        for oddity in history.oddities { oddities[oddity, default: 0] += 1 }
        var before = [Set<[UInt8]>](repeating: [], count: oracle.cohorts.count)
        for (tick, touched) in zip(oracle.ticks, oracle.touched) {
            for (index, members) in tick.members.enumerated() {
                let now = Set(members)
                let flipped = now.symmetricDifference(before[index])
                enters += flipped.intersection(now).count
                exits += flipped.subtracting(now).count
                byClock += flipped.subtracting(touched).count
                before[index] = now
            }
        }
    }

    /// Adds what another one saw.
    package mutating func add(_ other: OracleCoverage) {
        merge(other.counts)
        cases += other.cases
        ticks += other.ticks
        enters += other.enters
        exits += other.exits
        byClock += other.byClock
        oddities.merge(other.oddities) { $0 + $1 }
    }

    private mutating func merge(_ other: [String: OracleTally.Count]) {
        counts.merge(other) {
            OracleTally.Count(
                places: $0.places + $1.places,
                held: $0.held + $1.held,
                failed: $0.failed + $1.failed
            )
        }
    }

    /// What a full run falls short of.
    package var shortfalls: [String] {
        var found: [String] = []
        for construct in OracleClause.allConstructs {
            let count = counts[construct] ?? OracleTally.Count()
            if count.places < 1000 { found.append("\(construct): \(count.places) places") }
            if min(count.share, 1 - count.share) < 0.2 {
                found.append("\(construct): holds \(percent(count.share))")
            }
        }
        if Double(byClock) < 0.25 * Double(enters + exits) {
            found.append("\(byClock) of \(enters + exits) flips by the clock alone")
        }
        for oddity in OracleCase.allOddities where (oddities[oddity] ?? 0) * 2 < cases {
            found.append("\(oddity): \(oddities[oddity] ?? 0) of \(cases) histories")
        }
        return found
    }

    private func percent(_ share: Double) -> String { "\(Int((share * 1000).rounded()))‰" }

    package var description: String {
        var lines = [
            "\(cases) histories, \(ticks) ticks, \(enters) enters, \(exits) exits, "
                + "\(byClock) of these by the clock alone"
        ]
        for (oddity, count) in oddities.sorted(by: { $0.key < $1.key }) {
            lines.append("\(oddity): \(count) histories")
        }
        lines.append("construct: places in definitions, questions, share that held")
        for construct in OracleClause.allConstructs {
            let count = counts[construct] ?? OracleTally.Count()
            lines.append(
                "\(construct): \(count.places), \(count.held + count.failed), \(percent(count.share))"
            )
        }
        return lines.joined(separator: "\n")
    }
}

extension OracleTally.Count {
    /// Of all questions, those answered with yes.
    fileprivate var share: Double { Double(held) / Double(max(1, held + failed)) }
}
