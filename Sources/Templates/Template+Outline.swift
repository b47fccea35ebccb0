package import Configuration
import YAML

extension ConfigurationReading where Value == [Template] {
    /// What reading destinations needs of the templates, with the names of those that have problems.
    package var outlines: ConfigurationReading<[TemplateOutline]> {
        ConfigurationReading<[TemplateOutline]>(
            value: value.map(\.outline),
            problems: problems,
            ids: ids
        )
    }
}

extension Template {
    fileprivate var outline: TemplateOutline {
        let (name, declarations) = (name, settings)
        return TemplateOutline(name: name, cadences: cadences) { section, urlComplaint in
            var values: [String: ReferencedText] = [:]
            for declaration in declarations {
                guard let node = section.node(declaration.name) else {
                    if declaration.isRequired {
                        section.report(
                            .missingKey,
                            at: section.mark,
                            "\(section.path(of: declaration.name)) is missing: template \"\(name)\" needs it "
                                + "(expected \(declaration.expectation))"
                        )
                    }
                    continue
                }
                do throws(Refusal) {
                    values[declaration.name] = try declaration.value(node, urlComplaint)
                } catch {
                    let path = section.path(of: declaration.name)
                    section.report(error.code, node, "\(path): \(error.text)")
                }
            }
            return values
        }
    }
}

extension SettingDeclaration {
    /// What a destination writes.
    fileprivate var expectation: String {
        switch kind {
        case .string: "a text"
        case .secret: "credential:NAME, file:/PATH or env:NAME"
        case .choice: "one of \(choices.joined(separator: ", "))"
        case .host: "a host such as api.example.com"
        case .url: "an https URL"
        case .integer: "an integer"
        }
    }

    /// The value that a destination gives.
    ///
    /// - Throws: What is wrong with it; the texts show no secret.
    fileprivate func value(
        _ node: Node,
        _ urlComplaint: TemplateOutline.URLComplaint
    ) throws(Refusal) -> ReferencedText {
        if kind == .secret { return try ValueReader<ReferencedText>.secret.read(node) }
        guard let text = node.scalarText else {
            throw Refusal(.badType, "expected \(expectation), not \(node.kind)")
        }
        guard let value = ReferencedText(text) else {
            throw Refusal(
                .badValue,
                "\"\(text.excerpt)\" refers to nothing (expected credential:NAME, file:/PATH or env:NAME)"
            )
        }
        guard case .plain = value else { return value }
        guard try cohortText(text) == nil else { return value }
        if let complaint = complaint(about: text) ?? (kind == .url ? urlComplaint(text) : nil) {
            throw Refusal(.badValue, complaint)
        }
        return value
    }
}
