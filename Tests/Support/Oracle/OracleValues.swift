import Basics

/// The few values that properties and operands have.
enum OracleValues {
    /// What a property mostly holds, by which predicates on it are chosen.
    enum Kind {
        case anything, number, version, path, tags, date, cart, item
    }

    static func kind(_ name: String) -> Kind {
        switch name {
        case "price", "score": .number
        case "v", "app_version": .version
        case "path": .path
        case "tags": .tags
        case "day": .date
        case "cart": .cart
        case "item": .item
        default: .anything
        }
    }

    private static let numbers = [
        "0", "-0.0", "5", "5.0", "2.5", "1e2", "100", "-3", "9007199254740993",
        "9007199254740992.0",
        "9223372036854775808", "0.1", "0.0000015",
    ]
    private static let plainNumbers = ["0", "1", "2", "2.5", "5", "5.0", "-3", "0.1", "1e2"]
    private static let texts = [
        "", "A", "a", "abc", "xABCx", "true", "5", "5.0", " 5 ", "1e2", "\u{c9}", "\u{e9}",
        "e\u{301}", "5 \"x\"",
    ]
    private static let plain = ["a", "A", "abc", "5", "true"]
    private static let versions = ["1", "1.2", "1.10", "1.2.0", "2.0.1", "01.3", "0.9"]
    private static let paths = ["a", "a/b", "a/b/c", "a/c", "b-x", "a]", "/a", ""]
    static let patterns = [
        "*", "a*", "*b", "a/*", "a/**", "**/c", "**", "?", "a/?", "[a-b]*", "[!a]*", "a[]]",
        "[-b]*", "a/b", "**b**", "?*",
    ]
    private static let tags = ["x", "y", "1", "z"]
    private static let dates = [
        "2026-01-05", "2026-01-05T10:00:00Z", "2026-01-05t12:00:00.0009+02:00",
        "2026-01-05T10:00:00.001z", "1969-12-31T23:59:59.9999Z", "2024-02-29",
        "2025-02-29", "2026-01-05T10:00Z", "2026-01-05T09:00:60Z",
    ]
    static let goodDates = Array(dates.prefix(6))

    /// A scalar of a small alphabet or, more rarely, of one with everything odd.
    static func scalar(_ generator: inout SeededGenerator) -> OracleValue {
        switch generator.below(20) {
        case 0..<5: .number(generator.pick(plainNumbers))
        case 5..<8: .number(generator.pick(numbers))
        case 8..<14: .text(generator.pick(plain))
        case 14..<17: .text(generator.pick(texts))
        default: .boolean(generator.chance(percent: 50))
        }
    }

    /// What a property of that name holds.
    static func value(of name: String, _ generator: inout SeededGenerator) -> OracleValue {
        if generator.chance(percent: 12) { return any(&generator) }
        switch kind(name) {
        case .anything: return any(&generator)
        case .number:
            return generator.chance(percent: 85)
                ? .number(generator.pick(plainNumbers)) : number(&generator)
        case .version:
            return generator.chance(percent: 80)
                ? .text(generator.pick(versions)) : .number(generator.pick(plainNumbers))
        case .path: return .text(generator.pick(paths))
        case .tags: return tagList(&generator)
        case .date: return .text(generator.pick(dates))
        case .cart: return cart(&generator)
        case .item: return generator.pick([.text("x"), .text("x"), .text("y"), .number("1")])
        }
    }

    /// What lists of tags mostly are.
    static let tagSets = [["x"], ["x", "y"], ["y", "x", "x"]]
    static let plainValues = plain.map { OracleValue.text($0) }
    static let plainNumberValues = plainNumbers.dropLast(2).map { OracleValue.number($0) }

    /// A list of tags, or one alone.
    static func tagList(_ generator: inout SeededGenerator) -> OracleValue {
        if generator.chance(percent: 80) {
            return .array(generator.pick(tagSets).map { .text($0) })
        }
        if generator.chance(percent: 20) { return tag(&generator) }
        return .array((0..<generator.below(4)).map { _ in tag(&generator) })
    }

    static func tag(_ generator: inout SeededGenerator) -> OracleValue {
        switch generator.below(12) {
        case 0: .number("1")
        case 1: .number("1.0")
        case 2: .null
        case 3: .boolean(true)
        default: .text(generator.pick(tags))
        }
    }

    static func any(_ generator: inout SeededGenerator) -> OracleValue {
        switch generator.below(16) {
        case 0..<12: scalar(&generator)
        case 12: .null
        case 13, 14:
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
        switch generator.below(10) {
        case 0..<6: .number(generator.pick(plainNumbers))
        case 6, 7: .number(generator.pick(numbers))
        default: .text(generator.pick(["5", " 2.5", "1e2"]))
        }
    }

    /// A version as an operand, which is text.
    static func version(_ generator: inout SeededGenerator) -> OracleValue {
        .text(generator.pick(versions))
    }
}
