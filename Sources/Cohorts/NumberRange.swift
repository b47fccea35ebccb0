import Basics
import Events

/// A predicate on a count, brought to one form: a range of integers with holes.
public struct NumberRange: Hashable, Sendable {
    /// The least number that can hold.
    public private(set) var lowest: Int64 = .min
    /// The greatest number that can hold.
    public private(set) var highest: Int64 = .max
    /// Where not nil, only these numbers can hold; ascending.
    public private(set) var only: [Int64]?
    /// Numbers that do not hold; ascending.
    public private(set) var except: [Int64] = []

    /// All numbers that satisfy every test of the predicate.
    public init(_ predicate: NumberPredicate) {
        for test in predicate.tests {
            switch test.op {
            case .equal: restrict(to: test.operands.compactMap(Self.exact))
            case .notEqual: except += test.operands.compactMap(Self.exact)
            case .greater: raise(to: test.operands.first.map { Self.floor($0).addingOne })
            case .greaterOrEqual: raise(to: test.operands.first.map(Self.ceiling))
            case .less: lower(to: test.operands.first.map { Self.ceiling($0).subtractingOne })
            case .lessOrEqual: lower(to: test.operands.first.map(Self.floor))
            case .between:
                raise(to: test.operands.first.map(Self.ceiling))
                lower(to: test.operands.last.map(Self.floor))
            default: preconditionFailure("\(test.op) on a number: the checker refuses it")
            }
        }
        except.sort()
        if let only, let first = only.first, let last = only.last {
            raise(to: first)
            lower(to: last)
            // One allowed number is a range; holes are then decided by the bounds alone.
            if only.count == 1 { self.only = nil }
        }
    }

    /// Whether the number satisfies the predicate.
    public func contains(_ number: Int64) -> Bool {
        guard number >= lowest, number <= highest else { return false }
        if let only, !only.contains(number) { return false }
        return except.isEmpty || !except.contains(number)
    }

    /// Whether the range has no holes, so that only its two ends decide.
    public var isPlain: Bool { only == nil && except.isEmpty }

    /// The same number for the same predicate, in every run.
    public var identity: UInt64 {
        var hash: UInt64 = 1
        for number in [lowest, highest] + (only ?? []) + [Int64.min] + except {
            hash = Hashing.combine(hash, UInt64(bitPattern: number))
        }
        return hash
    }

    private mutating func restrict(to numbers: [Int64]) {
        let sorted = Set(numbers).sorted()
        guard !sorted.isEmpty else {
            // `is: 2.5` holds for no count.
            lowest = .max
            highest = .min
            return
        }
        only = sorted
    }

    private mutating func raise(to bound: Int64?) {
        if let bound { lowest = max(lowest, bound) }
    }

    private mutating func lower(to bound: Int64?) {
        if let bound { highest = min(highest, bound) }
    }

    private static func exact(_ operand: Operand) -> Int64? {
        switch operand {
        case .integer(let number): number
        case .double(let number): Int64(exactly: number)
        case .text, .boolean: nil
        }
    }

    private static func floor(_ operand: Operand) -> Int64 {
        rounded(operand, .down)
    }

    private static func ceiling(_ operand: Operand) -> Int64 {
        rounded(operand, .up)
    }

    private static func rounded(_ operand: Operand, _ rule: FloatingPointRoundingRule) -> Int64 {
        switch operand {
        case .integer(let number): number
        case .double(let number):
            Int64(exactly: number.rounded(rule)) ?? (number > 0 ? Int64.max - 1 : Int64.min + 1)
        case .text, .boolean: preconditionFailure("\(operand) is no number: the checker refuses it")
        }
    }
}

extension Int64 {
    fileprivate var addingOne: Int64 { self == .max ? .max : self + 1 }
    fileprivate var subtractingOne: Int64 { self == .min ? .min : self - 1 }
}
