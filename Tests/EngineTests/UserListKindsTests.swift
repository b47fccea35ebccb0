import Basics
import Cohorts
import TestKit
import Testing

@testable import Engine

/// What a tick asks memory for: forgetting a list costs time and no result, so nothing else would tell.
@Suite("Lists that conditions read")
struct UserListKindsTests {
    private static let clauses: [(clause: String, kinds: UserListKinds)] = [
        ("performed: {event: e, last: 1d, count: {gte: 2}}", .times),
        ("sequence: {steps: [{event: e}, {event: f}], last: 7d}", .times),
        ("sequence: {steps: [{event: e}, {event: f}], last: 7d, same: item}", .records),
        ("performed: {event: e, last: 1d, sum: {property: p, is: {gte: 2}}}", .records),
        ("performed: {event: e, last: 1d, same: item, count: {gte: 2}}", .records),
        ("property: {plan: pro}", .properties),
        ("had_property: {plan: trial, last: 30d, mode: most_recent}", [.records, .properties]),
        ("new: {last: 1d}", []),
    ]

    @Test("Each kind of condition reads its lists, also beyond the first word", arguments: [0, 70])
    func kinds(others: Int) throws {
        for (clause, expected) in Self.clauses {
            let fillers = (0..<others).map {
                "id: a\($0)\nusers: {performed: {event: o\($0), last: 1d, count: {gte: 1}}}\n---\n"
            }
            let plan = try OracleCase.plan(
                yaml: fillers.joined() + "id: x\nusers: {\(clause)}\n"
            )
            var names = PropertyNames()
            let evaluator = Evaluator(plan: plan, names: &names)
            let cohort = try #require(plan.cohorts.first { $0.id == "x" })
            var found: UserListKinds = []
            for case .condition(let condition) in cohort.program {
                let bit: UInt64 = 1 << UInt64(condition % 64)
                found.formUnion(evaluator.lists(of: bit, word: condition / 64))
            }
            #expect(found == expected, "\(clause)")
        }
    }
}
