import Basics
import Cohorts
import Testing

@testable import Engine

@Suite("Programs of cohorts for one user")
struct SmallProgramTests {
    /// A clause, as deep as it is to be.
    private indirect enum Clause {
        case condition(Int)
        case not(Clause)
        case and(Clause, Clause)
        case or(Clause, Clause)

        static func some(
            _ generator: inout SeededGenerator,
            _ conditions: [Int],
            depth: Int
        ) -> Clause {
            if depth == 0 || generator.chance(percent: 20) {
                return .condition(generator.pick(conditions))
            }
            let first = some(&generator, conditions, depth: depth - 1)
            if generator.chance(percent: 25) { return .not(first) }
            let second = some(&generator, conditions, depth: depth - 1)
            return generator.chance(percent: 50) ? .and(first, second) : .or(first, second)
        }

        var program: [CohortPlan.Instruction] {
            switch self {
            case .condition(let number): [.condition(number)]
            case .not(let clause): clause.program + [.not]
            case .and(let first, let second): first.program + second.program + [.and]
            case .or(let first, let second): first.program + second.program + [.or]
            }
        }

        func holds(_ truth: [UInt64]) -> Bool {
            switch self {
            case .condition(let number): truth[number / 64] >> UInt64(number % 64) & 1 != 0
            case .not(let clause): !clause.holds(truth)
            case .and(let first, let second): first.holds(truth) && second.holds(truth)
            case .or(let first, let second): first.holds(truth) || second.holds(truth)
            }
        }
    }

    @Test("The table of up to four conditions gives what the clauses do", arguments: 1...10)
    func table(_ seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed))
        for count in [1, 2, 3, 4, 4] {
            let conditions = (0..<count).map { _ in generator.below(192) }
            let clause = Clause.some(&generator, conditions, depth: 5)
            let program = SmallProgram(clause.program)
            #expect(program.isSmall)
            for _ in 0..<64 {
                let truth = (0..<3).map { _ in generator.next() }
                let found = truth.withUnsafeBufferPointer { buffer in
                    buffer.baseAddress.map { program.holds($0) }
                }
                #expect(found == clause.holds(truth), "seed \(seed)")
            }
        }
    }

    @Test("A program of five conditions, or of a membership, has no table")
    func large() {
        let five = (0..<5).map { CohortPlan.Instruction.condition($0) }
        #expect(!SmallProgram(five + [.and, .and, .and, .and]).isSmall)
        #expect(!SmallProgram([.member(0), .condition(1), .or]).isSmall)
        #expect(!SmallProgram([.condition(Int(UInt16.max))]).isSmall)
    }
}
