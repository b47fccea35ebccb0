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
        var touched: UInt32 = 0
        var isApproximate = false
        var truth: [UInt64]
        var decided: [UInt64]
        var memberships: [UInt64]
    }

    @Test(
        "A row keeps its record, truth, memberships and id, short or long, while pages move",
        arguments: [(1, 1), (1, 20), (2, 100), (3, 64), (3, 100), (15, 1000)]
    )
    func growth(words: Int, cohorts: Int) {
        var generator = SeededGenerator(seed: UInt64(words * 10_000 + cohorts))
        let rest = WordBuffer(count: words)
        for word in 0..<words { rest[word] = generator.next() }
        var users = UserTable(rows: UserRows(rest: rest, cohorts: cohorts))
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
                    decided: [UInt64](repeating: 0, count: words),
                    memberships: [UInt64](repeating: 0, count: users.rows.membershipWords)
                )
            )
            let other = generator.below(model.count)
            change(UserSlot(other), &users, &model[other], rest, &generator)
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
        _ model: inout Model,
        _ rest: WordBuffer,
        _ generator: inout SeededGenerator
    ) {
        model.knownSince = Int64(generator.below(1 << 40))
        users[slot].knownSince = EventTime(milliseconds: model.knownSince)
        model.touched = UInt32(truncatingIfNeeded: generator.next())
        users[slot].touched = model.touched
        model.isApproximate = generator.chance(percent: 50)
        users[slot].isApproximate = model.isApproximate
        if generator.chance(percent: 50) {
            users.rows.decideAll(slot)
            for word in model.decided.indices { model.decided[word] = ~0 }
        }
        let word = generator.below(model.truth.count)
        model.truth[word] = generator.next()
        users.rows.setTruth(slot, word: word, to: model.truth[word])
        let open = generator.next()
        users.rows.leaveOpen(open, slot, word: word)
        model.decided[word] &= ~(open & (model.truth[word] ^ rest[word]))
        let cohort = generator.below(users.rows.memberCounts.count)
        let isIn = generator.chance(percent: 70)
        users.rows.setMember(slot, cohort: cohort, to: isIn)
        let bit: UInt64 = 1 << UInt64(cohort % 64)
        let row = model.memberships[cohort / 64]
        model.memberships[cohort / 64] = isIn ? row | bit : row & ~bit
    }

    private func check(_ slot: UserSlot, _ users: borrowing UserTable, _ expected: Model) {
        let id = users.id(slot).array
        let found = expected.id.withByteView { users.find($0, hash: Hashing.hash64($0)) }
        let record = users[slot]
        let truth = expected.truth.indices.map { users.rows.truth(slot, word: $0) }
        let members = expected.memberships.indices.map { users.rows.memberships(slot, word: $0) }
        #expect(id == expected.id && found == slot)
        #expect(record.knownSince.milliseconds == expected.knownSince)
        #expect(record.touched == expected.touched)
        #expect(record.isApproximate == expected.isApproximate)
        #expect(truth == expected.truth && members == expected.memberships)
        for (word, decided) in expected.decided.enumerated() {
            // Of conditions whose truth is that of rest, those are left that are not decided.
            let atRest = ~(truth[word] ^ users.rows.rest[word])
            let open = users.rows.withDeadline(atRest, slot, word: word)
            #expect(open == atRest & ~decided)
        }
    }

    @Test("A row without conditions and cohorts has an id, of no bytes or as many as fit or more")
    func bare() {
        var rows = UserRows(rest: WordBuffer(count: 0), cohorts: 0)
        let ids = [0, 1, 59, 60, 61, 1000].map { [UInt8](repeating: 0x61, count: $0) }
        for id in ids { _ = id.withByteView { rows.append($0) } }
        for (slot, id) in ids.enumerated() {
            let found = rows.id(UserSlot(slot)).array
            #expect(found == id)
        }
    }

    @Test("Users of a snapshot are found under their slots when all are there, and so are new ones")
    func restored() {
        let count = 40_000
        var users = UserTable(rows: UserRows(rest: WordBuffer(count: 1), cohorts: 20))
        users.reserve(count)
        let reserved = users.rows.bytesReserved
        // Whole large pages of rows of two cache lines.
        #expect(reserved == 3 * TableMemory.pageBytes)
        func id(_ number: Int) -> [UInt8] {
            Array("\(number)".utf8) + [UInt8](repeating: 0x78, count: number % 3 == 0 ? 90 : 0)
        }
        for number in 0..<count { id(number).withByteView { users.restore($0) } }
        users.index()
        let added = "new".withByteView { users.insert($0, hash: Hashing.hash64($0)) }
        #expect(added == UserSlot(count))
        for number in 0..<count {
            let found = id(number).withByteView { users.find($0, hash: Hashing.hash64($0)) }
            guard found == UserSlot(number) else {
                Issue.record("\(number) is \(found.map(String.init) ?? "lost")")
                return
            }
        }
    }
}
