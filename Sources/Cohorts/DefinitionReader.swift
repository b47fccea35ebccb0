import Basics
import YAML

/// Reads one document as a definition and collects everything that is wrong with it.
///
/// A method that reads a part gives nil exactly when it has reported why. The caller goes on with the other
/// parts, so that one run shows all problems.
struct DefinitionReader {
    /// A cohort named by `member_of`.
    struct Reference {
        var id: String
        var mark: Mark
    }

    /// How deep clauses nest; `users` holds level 1.
    static let depthMax = 32
    /// How many clauses a definition has.
    static let clausesMax = 1000

    /// The name that problems carry.
    let file: String
    /// What was found, in the order found.
    private(set) var problems: [Problem] = []
    /// The id as soon as it is read, also where the definition is refused for another reason.
    private(set) var id: (text: String, mark: Mark)?
    /// The cohorts it names.
    var references: [Reference] = []
    /// How many clauses were read.
    var clauseCount = 0

    init(file: String) {
        self.file = file
    }

    /// Notes a problem.
    mutating func report(
        _ code: ProblemCode,
        _ mark: Mark,
        _ text: String,
        expected: String? = nil,
        suggestion: String? = nil
    ) {
        problems.append(
            Problem(
                file: file,
                mark: mark,
                code: code,
                text: text,
                expected: expected,
                suggestion: suggestion
            )
        )
    }

    /// Reads the document; nil where it has problems.
    mutating func definition(_ document: Node, isTimeZone: (String) -> Bool) -> Definition? {
        guard let fields = map(document, "a definition") else { return nil }
        refuseUnknownKeys(fields, known: ["id", "name", "description", "timezone", "users"])
        if let node = require("id", fields, "a definition"), let text = text(node, "an id") {
            if Identifier.isValid(text) {
                id = (text, node.mark)
            } else {
                report(
                    .badID,
                    node.mark,
                    "\"\(text.excerpt)\" is no id",
                    expected: Identifier.grammar
                )
            }
        }
        let name = fields["name"].flatMap { text($0.value, "a name", mayBeEmpty: true) }
        let description = fields["description"].flatMap {
            text($0.value, "a description", mayBeEmpty: true)
        }
        let timezone = fields["timezone"].flatMap { text($0.value, "a time zone") }
        if let timezone, let node = fields["timezone"]?.value,
            !(Self.isZoneName(timezone) && isTimeZone(timezone))
        {
            report(
                .unknownTimezone,
                node.mark,
                "there is no time zone \"\(timezone.excerpt)\"",
                expected: "a name of the IANA time zone database such as Europe/Berlin"
            )
        }
        let users = require("users", fields, "a definition").flatMap { clause($0, depth: 1) }
        guard problems.isEmpty, let id, let users else { return nil }
        return Definition(
            id: id.text,
            name: name ?? id.text,
            description: description ?? "",
            timezone: timezone,
            users: users,
            file: file,
            mark: document.mark,
            document: document
        )
    }

    /// Whether a text can name a time zone at all.
    ///
    /// Zones are files: whoever looks one up is not led out of their folder.
    static func isZoneName(_ text: String) -> Bool {
        text.utf8.first != UInt8(ascii: "/")
            && text.unicodeScalars.allSatisfy {
                $0.isASCII
                    && ($0.properties.isAlphabetic || "0123456789_+-/".unicodeScalars.contains($0))
            }
    }
}
