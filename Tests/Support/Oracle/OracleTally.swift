/// How often each construct of the language was asked about, and how often it held.
///
/// A class, since clauses inside clauses all write to one.
package final class OracleTally {
    /// What was seen of one construct.
    package struct Count: Sendable {
        /// In how many places of definitions it stood.
        package var places = 0
        /// How often it was asked of a user at a tick, or of a value, and held.
        package var held = 0
        /// How often it was asked and did not hold.
        package var failed = 0
    }

    /// By construct.
    package private(set) var counts: [String: Count] = [:]

    /// Nothing seen yet.
    package init() {}

    /// Notes one question.
    func note(_ construct: String, _ holds: Bool) {
        if holds {
            counts[construct, default: Count()].held += 1
        } else {
            counts[construct, default: Count()].failed += 1
        }
    }

    /// Notes the constructs of a clause and of those inside it.
    func notePlaces(_ clause: OracleClause) {
        for construct in clause.constructs + clause.predicates {
            counts[construct, default: Count()].places += 1
        }
        for part in clause.parts { notePlaces(part) }
    }

    /// Whether the tests hold for the value of a property; nil = missing or null.
    func holds(_ tests: [OracleTest], for value: OracleValue?) -> Bool {
        for test in tests {
            note(test.name, OracleTest.allHold([test], for: value))
        }
        return OracleTest.allHold(tests, for: value)
    }

    /// Whether the tests hold for a number of things; none = at least one.
    func numberHolds(_ tests: [OracleTest], for number: Int) -> Bool {
        if tests.isEmpty { return number >= 1 }
        for test in tests {
            note(test.numberName, OracleTest.allHold([test], for: number))
        }
        return OracleTest.allHold(tests, for: number)
    }

    /// Whether the tests hold for a sum in millionths over a count.
    func numberHolds(_ tests: [OracleTest], forMillionths sum: Int128, over count: Int) -> Bool {
        for test in tests {
            note(
                test.numberName,
                OracleTest.allHold([test], forMillionths: sum, over: count)
            )
        }
        return OracleTest.allHold(tests, forMillionths: sum, over: count)
    }
}
