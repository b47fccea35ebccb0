import Basics
import Configuration
import YAML

/// A text with placeholders: `ApiKey-v1 ${settings.api_key}`.
struct TemplateText: Sendable, Equatable {
    /// A placeholder and its filters.
    struct Expression: Sendable, Hashable {
        var placeholder: Placeholder
        var filters: [Filter]

        /// The type of the value behind the filters.
        var kind: Placeholder.Kind { filters.last?.result ?? placeholder.kind }

        /// The settings it reads.
        var settings: [String] {
            var names: [String] = []
            if case .setting(let name) = placeholder { names.append(name) }
            for filter in filters {
                if case .hmacSHA256Hex(let name) = filter { names.append(name) }
            }
            return names
        }
    }

    /// A piece of the text.
    enum Segment: Sendable, Equatable {
        case literal(String)
        case expression(Expression)
    }

    var segments: [Segment]

    /// A text without placeholders.
    init(literal: String) {
        segments = literal.isEmpty ? [] : [.literal(literal)]
    }

    init(segments: [Segment]) {
        self.segments = segments
    }

    /// The placeholder that is the whole text and so keeps its type.
    var whole: Expression? {
        guard segments.count == 1, case .expression(let expression) = segments[0] else {
            return nil
        }
        return expression
    }

    /// The text, where it has no placeholders.
    var literal: String? {
        if segments.isEmpty { return "" }
        guard segments.count == 1, case .literal(let text) = segments[0] else { return nil }
        return text
    }

    /// All placeholders, in order.
    var expressions: [Expression] {
        segments.compactMap {
            if case .expression(let expression) = $0 { expression } else { nil }
        }
    }
}

/// The names that mean something in one template.
struct Vocabulary {
    var declarations: [SettingDeclaration] = []
    var settings: [String] = []
    var secrets: Set<String> = []
    /// The names of `identity.keys`.
    var keys: [String] = []
    var scope: Placeholder.Scope = []

    /// The same with other things at hand.
    func at(_ scope: Placeholder.Scope) -> Vocabulary {
        var other = self
        other.scope = scope
        return other
    }
}

extension TemplateText {
    /// Reads a text with placeholders.
    ///
    /// - Parameters:
    ///   - text: As written.
    ///   - vocabulary: What placeholders there are where it stands.
    /// - Throws: What is wrong with the first placeholder that cannot be taken, and what to do.
    init(_ text: String, _ vocabulary: Vocabulary) throws(Refusal) {
        segments = []
        var rest = text[...]
        while let start = rest.firstRange(of: "${") {
            if start.lowerBound > rest.startIndex {
                segments.append(.literal(String(rest[..<start.lowerBound])))
            }
            guard let end = rest[start.upperBound...].firstIndex(of: "}") else {
                throw Refusal(.badValue, "\"${\" without its \"}\": close it")
            }
            let inside = String(rest[start.upperBound..<end])
            segments.append(.expression(try Self.expression(inside, vocabulary)))
            rest = rest[rest.index(after: end)...]
        }
        if !rest.isEmpty { segments.append(.literal(String(rest))) }
    }

    /// Reads what stands between `${` and `}`.
    static func expression(
        _ text: String,
        _ vocabulary: Vocabulary
    ) throws(Refusal) -> Expression {
        let parts = text.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
        let name = parts[0]
        let known = Placeholder.names(
            settings: vocabulary.settings,
            keys: vocabulary.keys,
            scope: vocabulary.scope
        )
        guard
            let placeholder = Placeholder(
                name,
                settings: vocabulary.settings,
                keys: vocabulary.keys
            )
        else {
            let hint =
                Suggestion.nearest(to: name, among: known).map { "did you mean \"${\($0)}\"?" }
                ?? "expected one of \(known.joined(separator: ", "))"
            throw Refusal(.badValue, "there is no placeholder \"${\(name.excerpt)}\" (\(hint))")
        }
        guard vocabulary.scope.contains(placeholder.scope) else {
            throw Refusal(
                .badValue,
                placeholder.scope == .user
                    ? "\"${\(name)}\" stands only in the `item` of a $each, or anywhere in a request "
                        + "for one user (batch.max_items: 1)"
                    : "\"${\(name)}\" is not known here (expected one of "
                        + "\(known.joined(separator: ", ")))"
            )
        }
        var filters: [Filter] = []
        var kind = placeholder.kind
        for part in parts.dropFirst() {
            let filter = try Self.filter(part, vocabulary)
            guard filter.takes(kind) else {
                throw Refusal(.badValue, "the filter \"\(part)\" does not take \"${\(name)}\"")
            }
            kind = filter.result
            filters.append(filter)
        }
        return Expression(placeholder: placeholder, filters: filters)
    }

    private static func filter(_ text: String, _ vocabulary: Vocabulary) throws(Refusal) -> Filter {
        var word = text
        var argument: String?
        if let open = text.firstIndex(of: "(") {
            guard text.hasSuffix(")") else {
                throw Refusal(.badValue, "the filter \"\(text.excerpt)\" lacks its \")\"")
            }
            word = String(text[..<open])
            argument = String(text[text.index(after: open)...].dropLast())
        }
        let filter: Filter?
        switch (word, argument) {
        case ("path", nil): filter = .path
        case ("slug", nil): filter = .slug
        case ("word", nil): filter = .word
        case ("json", nil): filter = .json
        case ("iso8601", nil): filter = .iso8601
        case ("epoch", nil): filter = .epoch
        case ("epoch_ms", nil): filter = .epochMilliseconds
        case ("strip_prefix", let prefix?): filter = .stripPrefix(prefix)
        case ("hmac_sha256_hex", let name?):
            guard name.hasPrefix("settings."),
                vocabulary.secrets.contains(String(name.dropFirst(9)))
            else {
                throw Refusal(
                    .badValue,
                    "hmac_sha256_hex takes a secret setting such as hmac_sha256_hex(settings.key), "
                        + "not \"\(name.excerpt)\""
                )
            }
            filter = .hmacSHA256Hex(setting: String(name.dropFirst(9)))
        default: filter = nil
        }
        if let filter { return filter }
        if Filter.words.contains(word) {
            throw Refusal(
                .badValue,
                argument == nil
                    ? "the filter \"\(word)\" takes an argument: write \(word)(…)"
                    : "the filter \"\(word)\" takes no argument: write |\(word)"
            )
        }
        let hint =
            Suggestion.nearest(to: word, among: Filter.words).map { "did you mean \"\($0)\"?" }
            ?? "expected one of \(Filter.words.joined(separator: ", "))"
        throw Refusal(.badValue, "there is no filter \"\(word.excerpt)\" (\(hint))")
    }
}

extension Vocabulary {
    /// Reads a node as a text with placeholders.
    var text: ValueReader<TemplateText> {
        let vocabulary = self
        return ValueReader { node throws(Refusal) in
            switch node.value {
            case .text(let text): return try TemplateText(text, vocabulary)
            case .integer, .double, .boolean: return TemplateText(literal: node.source)
            default: throw Refusal(.badType, "expected a text, not \(node.kind)")
            }
        }
    }
}
