/// The value of a field of a log line.
package enum LogValue: Hashable, Sendable {
    case text(String)
    case integer(Int64)
    case double(Double)
    case flag(Bool)
    case list([String])

    /// A value from any integer; what is beyond 64 bits is clamped.
    package init(_ number: some BinaryInteger) {
        self = .integer(Int64(clamping: number))
    }

    /// A value from a text.
    package init(_ text: String) {
        self = .text(text)
    }
}

extension LogValue: ExpressibleByStringLiteral, ExpressibleByStringInterpolation {
    /// A text from a literal.
    package init(stringLiteral text: String) {
        self = .text(text)
    }
}

extension LogValue: ExpressibleByIntegerLiteral {
    /// An integer from a literal.
    package init(integerLiteral number: Int64) {
        self = .integer(number)
    }
}

extension LogValue: ExpressibleByBooleanLiteral {
    /// A flag from a literal.
    package init(booleanLiteral flag: Bool) {
        self = .flag(flag)
    }
}

extension LogValue: ExpressibleByFloatLiteral {
    /// A number from a literal.
    package init(floatLiteral number: Double) {
        self = .double(number)
    }
}
