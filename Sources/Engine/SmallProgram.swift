import Cohorts

/// A cohort's program that asks for four conditions at most, as a table of what it gives for each of their truths: a look-up
/// instead of a dozen steps, each of which a core would have to guess.
struct SmallProgram: BitwiseCopyable {
    /// The most conditions.
    private static let conditionsMax = 4

    /// The conditions; behind the last one whichever, which makes no difference.
    private var conditions = SIMD4<Int32>(repeating: 0)
    /// What the program gives, by the truth of the first condition in the lowest bit, and so on.
    private var table: UInt16 = 0

    /// Nil where the program asks for too many, or for a membership.
    init?(_ program: [CohortPlan.Instruction]) {
        var places: [Int: Int] = [:]
        for instruction in program {
            switch instruction {
            case .condition(let condition):
                if places[condition] == nil { places[condition] = places.count }
            case .member: return nil
            case .and, .or, .not: break
            }
        }
        guard places.count <= Self.conditionsMax else { return nil }
        for (condition, place) in places { conditions[place] = Int32(condition) }
        for truth in 0..<(1 << Self.conditionsMax) where Self.holds(program, places, truth) {
            table |= 1 << UInt16(truth)
        }
    }

    /// What the program gives for a user.
    ///
    /// - `truth`: Which conditions hold, 64 a word.
    @inline(__always)
    func holds(_ truth: UnsafePointer<UInt64>) -> Bool {
        var row: UInt64 = 0
        for place in 0..<Self.conditionsMax {
            let condition = Int(conditions[place])
            row |= (truth[condition >> 6] >> UInt64(condition & 63) & 1) << UInt64(place)
        }
        return table >> UInt16(row) & 1 != 0
    }

    private static func holds(
        _ program: [CohortPlan.Instruction],
        _ places: [Int: Int],
        _ truth: Int
    ) -> Bool {
        var stack: [Bool] = []
        for instruction in program {
            switch instruction {
            case .condition(let condition):
                stack.append(truth >> (places[condition] ?? 0) & 1 != 0)
            case .member: return false
            case .and:
                let last = stack.removeLast()
                stack.append(stack.removeLast() && last)
            case .or:
                let last = stack.removeLast()
                stack.append(stack.removeLast() || last)
            case .not: stack.append(!stack.removeLast())
            }
        }
        return stack.last ?? false
    }
}
