public import YAML

/// Something wrong with a definition, with its place; one of possibly many.
public struct Problem: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file as it was named.
    public var file: String
    /// The key where it is unknown, duplicate or in conflict with another, else the value.
    public var mark: Mark
    /// What kind.
    public var code: ProblemCode
    /// What is wrong, and the remedy where the hint does not say it.
    public var text: String
    /// What would have been right, in the words after "expected"; nil where the text says it.
    public var expected: String?
    /// The known word nearest to the one written.
    public var suggestion: String?

    /// A problem from its parts.
    public init(
        file: String,
        mark: Mark,
        code: ProblemCode,
        text: String,
        expected: String? = nil,
        suggestion: String? = nil
    ) {
        self.file = file
        self.mark = mark
        self.code = code
        self.text = text
        self.expected = expected
        self.suggestion = suggestion
    }

    /// The line that is shown: `FILE:LINE:COL: error[code]: text (expected …; did you mean "…"?)`.
    public var description: String {
        var hints: [String] = []
        if let expected { hints.append("expected \(expected)") }
        if let suggestion { hints.append("did you mean \"\(suggestion)\"?") }
        let hint = hints.isEmpty ? "" : " (\(hints.joined(separator: "; ")))"
        return Self.escaped(
            "\(file):\(mark.line):\(mark.column): error[\(code.rawValue)]: \(text)\(hint)"
        )
    }

    /// The text as one line that a terminal shows and does not obey: control characters as `\u{a}`.
    static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .lineSeparator, .paragraphSeparator, .format:
                escaped += "\\u{\(String(scalar.value, radix: 16))}"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
