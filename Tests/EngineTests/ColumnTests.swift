import Basics
import Cohorts
import Events
import TestKit
import Testing

@testable import Engine

@Suite("Columns of bits")
struct ColumnTests {
    @Test("Bit r of word c of a square turned round is what bit c of word r was", arguments: 1...8)
    func transpose(_ seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed))
        for rows in [1, 2, 3, 17, 63, 64] {
            let words = WordBuffer(count: 64)
            // What is behind the rows is not looked at.
            for row in 0..<64 { words[row] = generator.next() }
            let before = words.array
            BitMatrix.transpose(words.start, rows: rows)
            for column in 0..<64 {
                var expected: UInt64 = 0
                for row in 0..<rows {
                    expected |= (before[row] >> UInt64(column) & 1) << UInt64(row)
                }
                #expect(words[column] == expected, "seed \(seed), \(rows) rows, column \(column)")
            }
        }
    }

    @Test("All conditions on a property say of a value what each says by itself", arguments: 1...5)
    func properties(_ seed: Int) throws {
        var generator = SeededGenerator(seed: UInt64(seed))
        let tests = [
            "tier: gold", "tier: {is_not: silver}", "tier: {contains: o}", "tier: {set: true}",
            "tier: {gte: 12}",
            "plan: {starts_with: a}", "plan: {set: false}, tier: gold",
            "plan: [aa, ab], tier: {set_is: [gold]}",
        ]
        let plan = try Self.plan(tests)
        var names = PropertyNames()
        let words = (plan.conditions.count + 63) / 64
        let conditions = PropertyConditions(plan: plan, words: words, names: &names)
        // More than are kept of a property, and some too long to be kept.
        var values = ["gold", "silver", "aa", "ab", String(repeating: "o", count: 100)]
        for number in 0..<200 { values.append("v\(number)o") }
        let asked = WordBuffer(count: words)
        let found = WordBuffer(count: words)
        for round in 0..<2_000 {
            var lists = PropertyLists()
            var row = SlabRow()
            for name in ["tier", "plan"] where generator.below(5) > 0 {
                let text = generator.pick(values)
                let bytes = Self.encoded(text)
                bytes.withByteView { value in
                    _ = lists.assign(
                        name: name.withByteView { names.number(of: $0) },
                        time: 0,
                        value: ValueView(value),
                        to: &row,
                        floor: 0,
                        namesMax: 10,
                        countsName: { _ in true }
                    )
                }
            }
            for word in 0..<words { asked[word] = conditions.all[word] }
            conditions.evaluate(
                row,
                at: EventTime(milliseconds: 1),
                in: lists,
                asked: asked.start,
                truth: found.start
            )
            for (index, condition) in plan.conditions.enumerated() {
                guard case .properties(let tests) = condition else { continue }
                let expected = tests.allSatisfy {
                    NumberedPropertyCondition($0, names: &names)
                        .holds(row, at: EventTime(milliseconds: 1), in: lists)
                }
                let isTrue = found[index / 64] >> UInt64(index % 64) & 1 != 0
                #expect(isTrue == expected, "seed \(seed), round \(round), condition \(index)")
            }
            lists.clear(&row)
        }
    }

    @Test(
        "Members of several cohorts at once are those of each, in the order of users",
        arguments: 1...3
    )
    func members(_ seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed))
        var table = UserRows(rest: WordBuffer(count: 1), cohorts: 130)
        var model = [Set<UserSlot>](repeating: [], count: 130)
        for slot in 0..<UserSlot(300) {
            _ = table.append(.empty)
            for _ in 0..<generator.below(20) {
                let cohort = generator.below(130)
                let isIn = generator.below(3) > 0
                table.setMember(slot, cohort: cohort, to: isIn)
                if isIn { model[cohort].insert(slot) } else { model[cohort].remove(slot) }
            }
        }
        let cohorts = [129, 3, 64, 63, 0, 17]
        var found = [[UserSlot]](repeating: [], count: cohorts.count)
        table.forEachMember(of: cohorts) { found[$0].append($1) }
        for (place, cohort) in cohorts.enumerated() {
            let count = table.memberCounts[cohort]
            #expect(found[place] == model[cohort].sorted() && count == model[cohort].count)
        }
    }

    private static func encoded(_ text: String) -> [UInt8] {
        var writer = ByteWriter()
        writer.write(ValueKind.text.rawValue)
        writer.write(prefixed: text)
        return writer.bytes
    }

    private static func plan(_ tests: [String]) throws -> Plan {
        let sources = tests.enumerated().map { number, test in
            DefinitionSource(
                name: "cohort \(number)",
                bytes: Array("{id: c\(number), users: {property: {\(test)}}}".utf8)
            )
        }
        let (definitions, problems) = DefinitionParser.parse(sources, isTimeZone: { _ in true })
        try #require(problems.isEmpty, "\(problems)")
        return PlanCompiler.compile(definitions, inactiveEvents: [])
    }
}
