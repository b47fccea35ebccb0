import Cohorts

/// A cohort's program that asks for four conditions at most, as a table of what it gives for each of their truths: a look-up
/// instead of a dozen steps, each of which a core would have to guess.
///
/// Ten bytes, since a thousand of them are wanted near.
struct SmallProgram: BitwiseCopyable {
    /// The most conditions.
    private static let conditionsMax = 4
    /// Stands for the first condition of a program that is not small.
    private static let none = UInt16.max

    /// The conditions; behind the last one whichever, which makes no difference.
    private var conditions: (UInt16, UInt16, UInt16, UInt16) = (0, 0, 0, 0)
    /// What the program gives, by the truth of the first condition in the lowest bit, and so on.
    private var table: UInt16 = 0

    /// Whether ``holds(_:)`` may be asked: not of a program that asks for too many, or for a membership.
    var isSmall: Bool { conditions.0 != Self.none }

    init(_ program: [CohortPlan.Instruction]) {
        var asked: [Int] = []
        var isSmall = true
        for instruction in program {
            switch instruction {
            case .condition(let condition):
                if !asked.contains(condition) { asked.append(condition) }
            case .member: isSmall = false
            case .and, .or, .not: break
            }
        }
        guard isSmall, asked.count <= Self.conditionsMax, asked.allSatisfy({ $0 < Self.none })
        else {
            conditions.0 = Self.none
            return
        }
        let numbers = (asked + [0, 0, 0, 0]).map { UInt16($0) }
        conditions = (numbers[0], numbers[1], numbers[2], numbers[3])
        for truth in 0..<(1 << Self.conditionsMax) where Self.holds(program, asked, truth) {
            table |= 1 << UInt16(truth)
        }
    }

    /// What the program gives for a user.
    ///
    /// - `truth`: Which conditions hold, 64 a word.
    @inline(__always)
    func holds(_ truth: UnsafePointer<UInt64>) -> Bool {
        let place =
            Self.bit(conditions.0, truth) | Self.bit(conditions.1, truth) << 1
            | Self.bit(conditions.2, truth) << 2 | Self.bit(conditions.3, truth) << 3
        return UInt64(table) &>> place & 1 != 0
    }

    @inline(__always)
    private static func bit(_ condition: UInt16, _ truth: UnsafePointer<UInt64>) -> UInt64 {
        truth[Int(condition >> 6)] &>> UInt64(condition & 63) & 1
    }

    private static func holds(
        _ program: [CohortPlan.Instruction],
        _ asked: [Int],
        _ truth: Int
    ) -> Bool {
        var stack: [Bool] = []
        for instruction in program {
            switch instruction {
            case .condition(let condition):
                let place = asked.firstIndex(of: condition) ?? 0
                stack.append(truth >> place & 1 != 0)
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
