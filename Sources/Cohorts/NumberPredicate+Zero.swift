import Events

extension NumberPredicate {
    /// Whether it holds for the number of a user, or group, without any event.
    ///
    /// With `inMillionths` bounds are rounded half-even to multiples of 10⁻⁶ first, as those of `sum` are.
    func holdsForZero(inMillionths: Bool) -> Bool {
        tests.allSatisfy { test in
            let bounds = test.operands.map { operand -> Double in
                let bound: Double
                switch operand {
                case .integer(let number): bound = Double(number)
                case .double(let number): bound = number
                case .text, .boolean:
                    preconditionFailure("the operand \(operand) of a predicate on a number")
                }
                return inMillionths ? (bound * 1_000_000).rounded(.toNearestOrEven) : bound
            }
            switch test.op {
            case .equal: return bounds[0] == 0
            case .notEqual: return bounds[0] != 0
            case .greater: return 0 > bounds[0]
            case .greaterOrEqual: return 0 >= bounds[0]
            case .less: return 0 < bounds[0]
            case .lessOrEqual: return 0 <= bounds[0]
            case .between: return bounds[0] <= 0 && 0 <= bounds[1]
            default: preconditionFailure("the operator \(test.op) of a predicate on a number")
            }
        }
    }
}
