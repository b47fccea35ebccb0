import Basics
import Configuration
import YAML

/// What a template says of one of its settings.
package struct SettingDeclaration: Sendable {
    /// The types of settings.
    package enum Kind: String, CaseIterable, Sendable {
        case string
        /// Given by reference; shown nowhere.
        case secret
        /// One of `choices`.
        case choice = "enum"
        /// The name of a host, with a port or not.
        case host
        /// A whole URL; how safe its address is, is checked where it is connected to.
        case url
        case integer = "int"
    }

    /// The key under `settings`.
    package var name: String
    /// Its type.
    package var kind: Kind
    /// Whether a destination must give it.
    package var isRequired: Bool
    /// The values of an enum.
    package var choices: [String]
    var pattern: BytePattern?
    var fallback: TemplateText?

    /// What is wrong with a value, and what to do; nil where it can be taken.
    ///
    /// The value itself is named only where it is no secret.
    package func complaint(about value: String) -> String? {
        guard !value.isEmpty else { return "it is empty" }
        guard !value.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
        else {
            return "it holds a control character such as a line break"
        }
        switch kind {
        case .string, .secret: break
        case .choice:
            if !choices.contains(value) {
                return "\"\(value.excerpt)\" is none of \(choices.joined(separator: ", "))"
            }
        case .host:
            if !Self.isHost(value) {
                return "\"\(value.excerpt)\" is no host (expected such as api.example.com)"
            }
        case .url:
            guard value.hasPrefix("https://") || value.hasPrefix("http://"),
                value.utf8.allSatisfy({
                    PercentEncoding.isUnreserved($0) || "/:%[]".utf8.contains($0)
                })
            else {
                return "it is no URL without query (expected https://HOST/PATH)"
            }
        case .integer:
            if Int64(value) == nil { return "\"\(value.excerpt)\" is no integer" }
        }
        if let pattern, !pattern.matches(value) {
            return kind == .secret
                ? "it does not match the pattern \(pattern.source)"
                : "\"\(value.excerpt)\" does not match the pattern \(pattern.source)"
        }
        return nil
    }

    /// A value that names the cohort, as texts may; nil for an ordinary value.
    func cohortText(_ value: String) throws(Refusal) -> TemplateText? {
        guard kind == .string, value.contains("${") else { return nil }
        return try TemplateText(value, Vocabulary(scope: .cohort))
    }

    /// Letters, digits, `-` and `.`, then a port or not: nothing that ends the host of a URL.
    private static func isHost(_ text: String) -> Bool {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2, let name = parts.first, !name.isEmpty, name.utf8.count <= 253,
            !name.hasPrefix("."), !name.hasPrefix("-")
        else { return false }
        if parts.count == 2 {
            guard parts[1].utf8.allSatisfy({ $0 &- 0x30 < 10 }), let port = Int(parts[1]),
                (1...65_535).contains(port)
            else { return false }
        }
        return name.utf8.allSatisfy {
            PercentEncoding.isUnreserved($0) && $0 != UInt8(ascii: "_") && $0 != UInt8(ascii: "~")
        }
    }
}

extension SettingDeclaration {
    /// Reads `settings` of a template.
    static func read(_ section: Section?, _ findings: Findings) -> [SettingDeclaration] {
        guard var section else { return [] }
        var declarations: [SettingDeclaration] = []
        for pair in section.openPairs() {
            let path = section.path(of: pair.key)
            guard isName(pair.key) else {
                section.report(
                    .badValue,
                    at: pair.keyMark,
                    "\(path): \"\(pair.key.excerpt)\" is no name of a setting (expected up to 64 of a-z 0-9 _)"
                )
                continue
            }
            let inner = Section(
                path: path,
                node: pair.value,
                findings: findings,
                table: "settings.NAME"
            )
            if let declaration = read(inner, name: pair.key) { declarations.append(declaration) }
        }
        section.finish()
        return declarations
    }

    private static func isName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy {
                Slug.isWord($0) && !(UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0)
            }
    }

    private static func read(_ section: consuming Section, name: String) -> SettingDeclaration? {
        let kind = section.required("type", ValueReader<Kind>.word)
        var declaration = SettingDeclaration(
            name: name,
            kind: kind ?? .string,
            isRequired: false,
            choices: []
        )
        section.read("required", into: &declaration.isRequired, .flag)
        section.list("choices", into: &declaration.choices, .text("a text"))
        declaration.pattern = section.optional("pattern", .pattern)
        // Only the cohort is known wherever a default is used.
        declaration.fallback = section.optional("default", Vocabulary(scope: .cohort).text)
        declaration.checkAgreement(&section)
        section.finish()
        return kind == nil ? nil : declaration
    }

    /// Notes what does not go together.
    private func checkAgreement(_ section: inout Section) {
        if kind == .choice, choices.isEmpty {
            section.report(
                .missingKey,
                at: section.mark,
                "\(section.path(of: "choices")) is missing (expected a list of texts)"
            )
        }
        if kind != .choice, let node = section.node("choices") {
            let text = "goes only with type: enum"
            section.report(.conflict, node, "\(section.path(of: "choices")): \(text)")
        }
        guard let node = section.node("default") else { return }
        let path = section.path(of: "default")
        if kind == .secret {
            section.report(.plainSecret, node, "\(path): a secret has no default")
        } else if isRequired {
            section.report(.conflict, node, "\(path): a required setting has no default")
        } else if let text = fallback?.literal, let complaint = complaint(about: text) {
            section.report(.badValue, node, "\(path): \(complaint)")
        }
    }
}
