import Basics
import TestKit
import Testing

@testable import Engine

/// Rows of users: what stands beside each other stays what it is, while they grow.
@Suite("User rows")
struct UserRowsTests {
    private struct Model {
        var id: [UInt8]
        var knownSince: Int64
        var truth: [UInt64]
        var memberships: [UInt64]
    }

    @Test(
        "A row keeps its record, truth, memberships and id, short or long, while pages move",
        arguments: [(1, 1), (1, 20), (2, 100), (3, 64), (15, 1000)]
    )
    func growth(words: Int, cohorts: Int) {
        var generator = SeededGenerator(seed: UInt64(words * 10_000 + cohorts))
        var users = UserTable(rows: UserRows(rest: WordBuffer(count: words), cohorts: cohorts))
        var model: [Model] = []
        func id(_ number: Int) -> [UInt8] {
            // Around what is left of a line, and beyond any.
            let digits = Array("\(number)".utf8)
            let length = number % 50 == 0 ? 300 : generator.number(in: digits.count...70)
            return digits + [UInt8](repeating: 0x78, count: length - digits.count)
        }
        for number in 0..<40_000 {
            let id = id(number)
            let slot = id.withByteView { users.insert($0, hash: Hashing.hash64($0)) }
            #expect(slot == UserSlot(number))
            model.append(
                Model(
                    id: id,
                    knownSince: EventTime.distantFuture.milliseconds,
                    truth: [UInt64](repeating: 0, count: words),
                    memberships: [UInt64](repeating: 0, count: users.rows.membershipWords)
                )
            )
            change(UserSlot(generator.below(model.count)), &users, &model, &generator)
        }
        for slot in model.indices { check(UserSlot(slot), users, model[slot]) }
        for cohort in [0, cohorts - 1] {
            let members = model.count {
                $0.memberships[cohort / 64] >> UInt64(cohort % 64) & 1 != 0
            }
            let counted = users.rows.memberCounts[cohort]
            #expect(members == counted)
        }
    }

    private func change(
        _ slot: UserSlot,
        _ users: inout UserTable,
        _ model: inout [Model],
        _ generator: inout SeededGenerator
    ) {
        let time = Int64(generator.below(1 << 40))
        users[slot].knownSince = EventTime(milliseconds: time)
        model[Int(slot)].knownSince = time
        let word = generator.below(model[Int(slot)].truth.count)
        let bits = generator.next()
        users.rows.setTruth(slot, word: word, to: bits)
        model[Int(slot)].truth[word] = bits
        let cohort = generator.below(users.rows.memberCounts.count)
        let isIn = generator.chance(percent: 70)
        users.rows.setMember(slot, cohort: cohort, to: isIn)
        let bit: UInt64 = 1 << UInt64(cohort % 64)
        let row = model[Int(slot)].memberships[cohort / 64]
        model[Int(slot)].memberships[cohort / 64] = isIn ? row | bit : row & ~bit
    }

    private func check(_ slot: UserSlot, _ users: borrowing UserTable, _ expected: Model) {
        let id = users.id(slot).array
        let found = expected.id.withByteView { users.find($0, hash: Hashing.hash64($0)) }
        let known = users[slot].knownSince.milliseconds
        let truth = expected.truth.indices.map { users.rows.truth(slot, word: $0) }
        let members = expected.memberships.indices.map { users.rows.memberships(slot, word: $0) }
        #expect(id == expected.id && found == slot)
        #expect(known == expected.knownSince)
        #expect(truth == expected.truth && members == expected.memberships)
    }
}
