import Basics
import TestKit
import Testing

@testable import Engine

/// A user's deadlines against a dictionary of them.
@Suite("Lists of deadlines")
struct DeadlineListTests {
    private static let conditions = 192

    @Test(
        "What was looked at is replaced, what is new is put in its place, what is due comes first",
        arguments: 1...40
    )
    func againstDictionary(_ seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed))
        var lists = DeadlineLists()
        var row = SlabRow()
        var model: [Int: ConditionDeadline] = [:]
        for step in 0..<60 {
            let asked = (0..<generator.below(60)).map { _ in generator.below(Self.conditions) }
            let lookedAt = WordBuffer(count: Self.conditions / 64)
            for condition in asked { lookedAt[condition / 64] |= 1 << UInt64(condition % 64) }
            let hasOld = asked.contains { model[$0] != nil }
            for condition in asked { model[condition] = nil }
            var more: [UInt64] = []
            for condition in Set(asked) where generator.chance(percent: 70) {
                // Often at the same instant as others.
                let instant = Int64(generator.below(40)) * 1000
                let deadline = ConditionDeadline(condition: condition, instant: instant)
                model[condition] = deadline
                more.append(deadline.word)
            }
            more.sort(by: >)
            more.withUnsafeBufferPointer {
                lists.update(
                    &row,
                    lookedAt: hasOld ? UnsafePointer(lookedAt.start) : nil,
                    adding: $0
                )
            }
            if generator.chance(percent: 30) {
                let tick = EventTime(milliseconds: Int64(generator.below(40)) * 1000)
                while let due = lists.takeDue(&row, tick) {
                    let first = model.values.map(\.word).min()
                    #expect(due.word == first && due.isDue(at: tick.milliseconds), "seed \(seed)")
                    model[due.condition] = nil
                }
                #expect(!model.values.contains { $0.isDue(at: tick.milliseconds) }, "seed \(seed)")
            }
            let found = lists.deadlines(row).map(\.word)
            #expect(found == model.values.map(\.word).sorted(by: >), "seed \(seed), step \(step)")
        }
    }
}
