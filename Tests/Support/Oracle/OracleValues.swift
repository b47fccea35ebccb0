import Basics

/// The few values that properties and operands have.
enum OracleValues {
    private static let numbers = [
        "0", "-0.0", "5", "5.0", "2.5", "1e2", "100", "-3", "9007199254740993",
        "9007199254740992.0",
        "9223372036854775808", "0.1",
    ]
    private static let texts = [
        "", "A", "a", "abc", "xABCx", "true", "5", "5.0", " 5 ", "1e2", "\u{c9}", "\u{e9}",
        "e\u{301}", "5 \"x\"",
    ]

    static func scalar(_ generator: inout SeededGenerator) -> OracleValue {
        switch generator.below(10) {
        case 0..<4: .number(generator.pick(numbers))
        case 4..<8: .text(generator.pick(texts))
        default: .boolean(generator.chance(percent: 50))
        }
    }

    static func any(_ generator: inout SeededGenerator) -> OracleValue {
        switch generator.below(12) {
        case 0..<8: scalar(&generator)
        case 8: .null
        case 9, 10:
            .array(
                (0..<generator.below(4)).map { _ in
                    switch generator.below(8) {
                    case 0: .null
                    case 1: .array([scalar(&generator)])
                    case 2: .object([OracleMember("x", scalar(&generator))])
                    default: scalar(&generator)
                    }
                }
            )
        default: cart(&generator)
        }
    }

    /// A value that may hold what `cart.total` looks for.
    static func cart(_ generator: inout SeededGenerator) -> OracleValue {
        switch generator.below(6) {
        case 0: .null
        case 1: scalar(&generator)
        case 2: .array([.object([OracleMember("total", scalar(&generator))])])
        case 3: .object([])
        default:
            .object([
                OracleMember("total", generator.chance(percent: 80) ? scalar(&generator) : .null)
            ])
        }
    }

    /// What can be compared by order.
    static func number(_ generator: inout SeededGenerator) -> OracleValue {
        generator.chance(percent: 80)
            ? .number(generator.pick(numbers)) : .text(generator.pick(["5", " 2.5", "1e2"]))
    }
}
