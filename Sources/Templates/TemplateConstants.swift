package import Basics
import Configuration

/// A resolved value of a setting, secret or not; describes itself as `***`.
package struct SettingValue: Sendable, Equatable {
    let text: String

    /// Stands for a secret that is not at hand, where requests are made for people to read.
    package static let unknown = SettingValue(TemplateConstants.redaction)

    /// Wraps the value itself, not a reference to it.
    package init(_ text: String) {
        self.text = text
    }
}

extension SettingValue: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "***" }
    package var debugDescription: String { "***" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// The cohort that a sync is of.
package struct TemplateCohort: Sendable, Equatable {
    /// Its id.
    package var id: String
    /// Its name.
    package var name: String
    /// When the sync first saw it.
    package var createdAt: EventTime

    /// A cohort from its parts.
    package init(id: String, name: String, createdAt: EventTime) {
        self.id = id
        self.name = name
        self.createdAt = createdAt
    }
}

/// What placeholders stand for as long as a binding lives.
struct TemplateConstants: Sendable {
    /// What a secret shows itself as where requests are made for people to read.
    static let redaction = "***"

    /// What an expression comes to.
    enum Result {
        case value(TemplateValue)
        /// An optional setting that is not given.
        case nothing
        /// Known with each request, or with each user.
        case later
    }

    var cohort: TemplateCohort
    var listID: String?
    var identityNames: [String]
    var decompose: CompatibilityDecomposition
    private var settings: [String: TemplateValue] = [:]
    private var secrets: Set<String> = []
    private let isRedacted: Bool

    /// Checks the settings of a destination against a template.
    ///
    /// - Throws: Every problem, without the values of secrets.
    init(
        _ template: Template,
        settings given: [String: SettingValue],
        cohort: TemplateCohort,
        listID: String?,
        decompose: @escaping CompatibilityDecomposition,
        isRedacted: Bool
    ) throws(TemplateBindingError) {
        self.cohort = cohort
        self.listID = listID
        self.decompose = decompose
        self.isRedacted = isRedacted
        identityNames = template.identity.names
        var problems: [String] = []
        for declaration in template.settings {
            if declaration.kind == .secret { secrets.insert(declaration.name) }
            do {
                settings[declaration.name] = try value(of: declaration, given[declaration.name])
            } catch {
                problems.append("settings.\(declaration.name): \(error.problems[0])")
            }
        }
        let known = template.settings.map(\.name)
        for name in given.keys.sorted(by: { $0.precedesByBytes($1) }) where !known.contains(name) {
            let hint =
                Suggestion.nearest(to: name, among: known).map { "did you mean \"\($0)\"?" }
                ?? "it has \(known.joined(separator: ", "))"
            problems.append("settings.\(name): the template has no such setting (\(hint))")
        }
        guard problems.isEmpty else { throw TemplateBindingError(problems: problems) }
    }

    private func value(
        of declaration: SettingDeclaration,
        _ given: SettingValue?
    ) throws(TemplateBindingError) -> TemplateValue? {
        var text = given?.text
        if let written = text {
            do {
                if let template = try declaration.cohortText(written) { text = self.text(template) }
            } catch {
                throw TemplateBindingError(problems: [error.text])
            }
        } else if let fallback = declaration.fallback {
            text = self.text(fallback)
        }
        guard let text else {
            guard declaration.isRequired else { return nil }
            throw TemplateBindingError(problems: ["is missing: the template needs it"])
        }
        let isStandIn = isRedacted && declaration.kind == .secret && given == .unknown
        if !isStandIn, let complaint = declaration.complaint(about: text) {
            throw TemplateBindingError(problems: [complaint])
        }
        if declaration.kind == .integer, let number = Int64(text) { return .integer(number) }
        return .text(text)
    }

    /// A text of which all placeholders are known here; what is missing is left out.
    func text(_ text: TemplateText) -> String {
        text.segments.map { segment in
            switch segment {
            case .literal(let literal): return literal
            case .expression(let expression):
                guard case .value(let value) = evaluate(expression) else { return "" }
                return value.text
            }
        }.joined()
    }

    /// What an expression comes to before any request is made.
    func evaluate(_ expression: TemplateText.Expression) -> Result {
        let value: TemplateValue?
        switch expression.placeholder {
        case .setting(let name): value = settings[name]
        case .cohortID: value = .text(cohort.id)
        case .cohortName: value = .text(cohort.name)
        case .cohortCreatedAt: value = .instant(cohort.createdAt)
        case .listID: value = listID.map { .text($0) }
        case .identityNames: value = .texts(identityNames)
        case .cell, .row, .entering, .pageIndex, .pageIsLast, .session, .total, .batchID, .tick,
            .lookupKeys, .jobID:
            return .later
        }
        guard let value, let result = apply(expression.filters, to: value) else { return .nothing }
        if isRedacted, expression.settings.contains(where: secrets.contains) {
            return .value(.text(Self.redaction))
        }
        return .value(result)
    }

    /// The value behind filters; nil where one has nothing to work with.
    func apply(_ filters: [Filter], to value: TemplateValue) -> TemplateValue? {
        var value = value
        for filter in filters {
            guard
                let next = filter.apply(
                    to: value,
                    setting: { settings[$0]?.text },
                    decompose: decompose
                )
            else { return nil }
            value = next
        }
        return value
    }
}
