import Basics

/// A JSON value as the oracle sees it: numbers keep the text they were written as.
package indirect enum OracleValue: Sendable {
    case null
    case boolean(Bool)
    /// The number's text, which is valid JSON and valid YAML.
    case number(String)
    case text(String)
    case array([OracleValue])
    case object([OracleMember])

    /// As JSON, and as YAML where it is a scalar.
    package var json: String {
        switch self {
        case .null: "null"
        case .boolean(let flag): flag ? "true" : "false"
        case .number(let text): text
        case .text(let text): Self.quoted(text)
        case .array(let elements): "[" + elements.map(\.json).joined(separator: ",") + "]"
        case .object(let members):
            "{" + members.map { Self.quoted($0.name) + ":" + $0.value.json }.joined(separator: ",")
                + "}"
        }
    }

    /// Whether it is null.
    package var isNull: Bool {
        if case .null = self { true } else { false }
    }

    /// The text that `is` compares: of a scalar; nil of anything else.
    var canonical: [UInt8]? {
        switch self {
        case .null, .array, .object: nil
        case .boolean(let flag): Array((flag ? "true" : "false").utf8)
        case .number(let text): OracleNumber(literal: text).map { Array($0.canonical.utf8) }
        case .text(let text): Array(text.utf8)
        }
    }

    /// The number that order compares: a number, or a text that is one between blanks.
    var number: OracleNumber? {
        switch self {
        case .number(let text): OracleNumber(literal: text)
        case .text(let text): OracleNumber(text: text)
        default: nil
        }
    }

    /// Negative, zero or positive as this is less than, equal to or greater than the other; nil where not
    /// both are numbers or both dates.
    func order(to other: OracleValue) -> Int? {
        if let left = number, let right = other.number { return left.order(to: right) }
        guard case .text(let left) = self, case .text(let right) = other,
            let first = OracleDate.instant(left), let second = OracleDate.instant(right)
        else { return nil }
        return first < second ? -1 : first > second ? 1 : 0
    }

    /// A text in quotes, as JSON and YAML both read it.
    package static func quoted(_ text: String) -> String {
        var writer = JSONWriter()
        writer.value(text)
        return writer.string
    }
}

/// A name and its value, in an object or at the top of an event.
package struct OracleMember: Sendable {
    /// The name.
    package var name: String
    /// The value.
    package var value: OracleValue

    /// A member.
    package init(_ name: String, _ value: OracleValue) {
        self.name = name
        self.value = value
    }
}

extension [OracleMember] {
    /// The value of a name, compared by bytes; nil where it is not there or null.
    func notNull(_ name: String) -> OracleValue? {
        guard let member = first(where: { sameBytes($0.name, name) }), !member.value.isNull else {
            return nil
        }
        return member.value
    }

    /// The value of a name as it stands, else as a path into nested objects; nil where both give nothing or
    /// null.
    func lookUp(_ name: String) -> OracleValue? {
        if let whole = notNull(name) { return whole }
        return path(name.split(separator: ".", omittingEmptySubsequences: false).map(String.init))
    }

    /// The value at the end of a path of two or more names; nil where there is none.
    func path(_ parts: [String]) -> OracleValue? {
        guard parts.count > 1, var value = notNull(parts[0]) else { return nil }
        for part in parts.dropFirst() {
            guard case .object(let members) = value, let inner = members.notNull(part) else {
                return nil
            }
            value = inner
        }
        return value
    }
}

/// Whether two texts have the same UTF-8 bytes; `==` of `String` takes canonically equal ones for the same.
func sameBytes(_ left: String, _ right: String) -> Bool {
    left.utf8.elementsEqual(right.utf8)
}
