import Cohorts
import Testing
import YAML

/// Zones that exist in these tests.
let zones = ["UTC", "Europe/Berlin", "Asia/Kathmandu"]

/// What the parser says of one file.
func parse(_ text: String) -> (definitions: [Definition], problems: [Problem]) {
    parse(Array(text.utf8))
}

/// What the parser says of the bytes of one file.
func parse(_ bytes: [UInt8]) -> (definitions: [Definition], problems: [Problem]) {
    DefinitionParser.parse(
        [DefinitionSource(name: "cohorts.yaml", bytes: bytes)],
        isTimeZone: zones.contains
    )
}

/// The clause of a definition that is `users: TEXT` and nothing else; nil where it is refused.
func clause(_ text: String) -> Clause.Kind? {
    let (definitions, problems) = parse("id: c\nusers: \(text)\n")
    return problems.isEmpty ? definitions.first?.users.kind : nil
}

/// A definition that is refused; `§` stands before every place that a problem must have.
struct Refusal: Sendable, CustomTestStringConvertible {
    let text: String
    let codes: [ProblemCode]

    /// A clause that is refused.
    init(_ clause: String, _ codes: ProblemCode...) {
        text = "id: c\nusers: \(clause)\n"
        self.codes = codes
    }

    /// A whole file that is refused.
    init(file: String, _ codes: ProblemCode...) {
        text = file
        self.codes = codes
    }

    var testDescription: String { text }

    /// `LINE:COL code` of every problem to come, by place.
    var expected: [String] {
        var places: [String] = []
        var line = 1
        var column = 1
        for scalar in text.unicodeScalars {
            switch scalar {
            case "§": places.append("\(line):\(column)")
            case "\n": (line, column) = (line + 1, 1)
            default: column += 1
            }
        }
        return zip(places, codes).map { "\($0) \($1.rawValue)" }
            + (places.count == codes.count ? [] : ["the test names \(places.count) places"])
    }

    /// The same of what the parser finds.
    var found: [String] {
        let text = text.replacing("§", with: "")
        return parse(text).problems.map {
            "\($0.mark.line):\($0.mark.column) \($0.code.rawValue)"
        }
    }
}
