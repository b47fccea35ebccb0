import Basics
package import Configuration
import YAML

extension Template {
    /// Reads all templates of a folder.
    ///
    /// - Parameter files: The files of ``ConfigurationFolder/definitionFiles(among:)``, in that order.
    /// - Returns: The templates that could be read, in order, and every problem.
    package static func read(_ files: [ConfigurationFile]) -> ConfigurationReading<[Template]> {
        ObjectReader.read(
            files,
            kind: "template",
            idKey: "template",
            keys: ConfigurationKey.template
        ) { top, findings in
            var reader = TemplateReader(top, findings)
            return reader.read()
        }
    }
}

/// Reads one template.
private struct TemplateReader {
    private var top: Section
    private let findings: Findings
    private var template: Template
    private var vocabulary = Vocabulary()

    init(_ top: consuming Section, _ findings: Findings) {
        self.top = top
        self.findings = findings
        template = Template(name: "", places: findings.places)
    }

    mutating func read() -> (id: String?, Template?) {
        let problemsBefore = findings.problemCount
        let name = top.required("template", .identifier)
        template.name = name ?? ""
        if let name, DestinationConfiguration.builtInTemplates.contains(name),
            let node = top.node("template")
        {
            top.report(.conflict, node, "template: \"\(name)\" is built in: choose another name")
        }
        top.read("version", into: &template.version, .integer(1...1_000_000))
        let model = top.required("model", ValueReader<Template.Model>.word)
        template.model = model ?? .list
        readTransport()
        top.list("cadences", into: &template.cadences, .word)
        template.settings = SettingDeclaration.read(top.sectionIfGiven("settings"), findings)
        template.identity = Identity.read(&top, findings)
        template.batch = BatchRule.read(top.section("batch"))
        vocabulary.declarations = template.settings
        vocabulary.settings = template.settings.map(\.name)
        vocabulary.secrets = Set(template.settings.filter { $0.kind == .secret }.map(\.name))
        vocabulary.keys = template.identity.names
        readLookup()
        readConnection()
        readList()
        readMembers()
        template.rules = ResponseRule.read(
            &top,
            findings,
            batchItemsMax: template.batch.itemsMax
        )
        readPace()
        template.check(findings, top)
        top.finish()
        template.places = findings.places
        return (name, findings.problemCount == problemsBefore ? template : nil)
    }

    private mutating func readTransport() {
        guard let node = top.node("transport") else { return }
        let builtIn = ["kafka", "object_store", "file"]
        guard case .text(let text) = node.value, text != "http" else {
            if case .text = node.value { return }
            top.report(.badType, node, "transport: expected http, not \(node.kind)")
            return
        }
        top.report(
            builtIn.contains(text) ? .refused : .badValue,
            node,
            builtIn.contains(text)
                ? "transport: templates speak http; for \(text) take a destination that is built in"
                : "transport: \"\(text.excerpt)\" is not known (expected http)"
        )
    }

    private mutating func readConnection() {
        let settings = vocabulary.at(.settings)
        if let url = top.required("base_url", settings.baseURL) {
            template.baseURL = url
        }
        if let node = top.node("headers") {
            template.headers = RequestForm.headers(
                node,
                "headers",
                vocabulary.at([.settings, .cohort]),
                findings
            )
        }
        if let inner = top.sectionIfGiven("auth") {
            template.authentication = Authentication.read(inner, settings, findings) ?? .none
        }
    }

    private mutating func readLookup() {
        guard let section = top.sectionIfGiven("lookup") else { return }
        let names = template.identity.names
        if names.count > 1 {
            section.report(
                .conflict,
                at: section.mark,
                "lookup: users are looked up by one key: leave one of identity.keys"
            )
        }
        if names.contains(Lookup.name) {
            section.report(
                .conflict,
                at: section.mark,
                "lookup: ${u.\(Lookup.name)} is what is found: name the key of identity otherwise"
            )
        }
        template.lookup = Lookup.read(section, vocabulary, findings)
        vocabulary.keys.append(Lookup.name)
    }

    private mutating func readList() {
        guard var section = top.sectionIfGiven("audience") else {
            if template.model == .list {
                top.report(
                    .missingKey,
                    at: top.mark,
                    "audience is missing: with model: list it says how a list is made (expected {id, ensure})"
                )
            }
            return
        }
        let before = vocabulary.at([.settings, .cohort, .batch])
        let after = vocabulary.at([.settings, .cohort, .list, .batch])
        let id = section.optional("id", vocabulary.at([.settings, .cohort]).text)
        var forms = Template.ListForms(id: .given(id ?? TemplateText(literal: "")))
        var pointer: JSONPointer?
        if var ensure = section.sectionIfGiven("ensure") {
            forms.isMadeWithFirstBatch = ensure.optional("with", ValueReader<With>.word) != nil
            var scope = before
            if forms.isMadeWithFirstBatch { scope = vocabulary.at(before.scope.union(.identity)) }
            // The id that we choose is known before the list is.
            if id != nil { scope = scope.at(scope.scope.union(.list)) }
            forms.ensure = request(
                &ensure,
                "request",
                scope,
                takesUsers: forms.isMadeWithFirstBatch
            )
            pointer = ensure.optional("id", .pointer)
            if var exists = ensure.sectionIfGiven("exists") {
                if let statuses = exists.optional("status", .statuses) {
                    forms.exists = ResponseRule.Condition(statuses: statuses)
                }
                exists.finish()
            }
            ensure.finish()
        }
        switch (id, pointer) {
        case (nil, nil):
            section.report(
                .missingKey,
                at: section.mark,
                "audience: expected the list's id, as audience.id or in the answer, as audience.ensure.id"
            )
        case (.some, .some):
            section.report(
                .conflict,
                at: section.mark,
                "audience: the id is given twice, by audience.id and audience.ensure.id: remove one"
            )
        case (nil, let pointer?): forms.id = .answered(pointer)
        case (.some, nil): break
        }
        forms.rename = rename(&section, after, forms.ensure)
        if var delete = section.sectionIfGiven("delete") {
            forms.delete = request(&delete, "request", after, takesUsers: false)
            delete.finish()
        }
        section.finish()
        template.list = forms
    }

    private enum With: String, CaseIterable, Sendable {
        case firstBatch = "first_batch"
    }

    /// `rename: ensure`, or a request of its own.
    private mutating func rename(
        _ section: inout Section,
        _ vocabulary: Vocabulary,
        _ ensure: RequestForm?
    ) -> RequestForm? {
        guard let node = section.node("rename") else { return nil }
        if case .text("ensure") = node.value {
            if ensure == nil {
                section.report(.conflict, node, "audience.rename: there is no ensure to repeat")
            }
            return ensure
        }
        guard var inner = section.sectionIfGiven("rename") else { return nil }
        let request = request(&inner, "request", vocabulary, takesUsers: false)
        inner.finish()
        return request
    }

    private func request(
        _ section: inout Section,
        _ key: String,
        _ vocabulary: Vocabulary,
        takesUsers: Bool
    ) -> RequestForm? {
        guard let inner = section.sectionIfGiven(key, table: "request") else {
            section.report(
                .missingKey,
                at: section.mark,
                "\(section.path(of: key)) is missing (expected {method, path, body})"
            )
            return nil
        }
        return RequestForm.read(inner, vocabulary, takesUsers: takesUsers, findings)
    }

    private mutating func readMembers() {
        guard var section = top.sectionIfGiven("members") else {
            top.report(
                .missingKey,
                at: top.mark,
                "members is missing (expected {change}, or {add, remove})"
            )
            return
        }
        var scope: Placeholder.Scope = [.settings, .cohort, .list, .batch, .identity]
        if template.batch.itemsMax == 1 { scope.insert(.user) }
        let places: [(String, WritableKeyPath<Template.MemberForms, RequestForm?>)] = [
            ("add", \.add), ("remove", \.remove), ("change", \.change), ("replace", \.replace),
            ("begin", \.begin), ("end", \.end),
        ]
        var later: [(Section, WritableKeyPath<Template.MemberForms, RequestForm?>, Node)] = []
        for (key, place) in places {
            guard var inner = section.sectionIfGiven(key, table: "request") else { continue }
            if let node = inner.node("like") {
                later.append((inner, place, node))
            } else {
                template.members[keyPath: place] = form(inner, place, scope, nil)
            }
        }
        for (inner, place, node) in later {
            var base = places.first { node.scalarText == $0.0 }.flatMap {
                template.members[keyPath: $0.1]
            }
            if base == nil {
                base = RequestForm(mark: inner.mark, name: inner.path)
                base?.isWhole = false
                let names = places.filter { template.members[keyPath: $0.1] != nil }.map(\.0)
                inner.report(
                    .badValue,
                    node,
                    "\(inner.path(of: "like")): \(node.kind) is no request to copy (expected one of "
                        + "\(names.joined(separator: ", ")))"
                )
            }
            template.members[keyPath: place] = form(inner, place, scope, base)
        }
        section.finish()
    }

    private func form(
        _ section: consuming Section,
        _ place: WritableKeyPath<Template.MemberForms, RequestForm?>,
        _ scope: Placeholder.Scope,
        _ base: RequestForm?
    ) -> RequestForm {
        let isPage = place == \.replace || place == \.begin || place == \.end
        let takesUsers = place != \.begin && place != \.end
        var scope = scope
        if isPage { scope.insert(.page) }
        if !takesUsers { scope.remove(.user) }
        return RequestForm.read(
            section,
            vocabulary.at(scope),
            takesUsers: takesUsers,
            findings,
            like: base
        )
    }

    private mutating func readPace() {
        if let node = top.node("limits") {
            if case .sequence(let nodes) = node.value {
                for (index, node) in nodes.enumerated() {
                    let inner = Section(
                        path: "limits[\(index)]",
                        node: node,
                        findings: findings,
                        table: "limits"
                    )
                    if let limit = RateLimit.read(inner) { template.limits.append(limit) }
                }
            } else {
                top.report(.badType, node, "limits: expected a list, not \(node.kind)")
            }
        }
        template.concurrency = ConcurrencyRule.read(top.section("concurrency"))
        top.read("timeout", into: &template.timeoutMilliseconds, .duration(1000...120_000))
        template.retry = RetryRule.read(top.section("retry"))
        template.traits = PartnerTraits.read(top.section("traits"))
        guard let section = top.sectionIfGiven("confirm") else { return }
        let mark = section.mark
        template.confirm = Confirmation.read(
            section,
            vocabulary,
            findings,
            batchItemsMax: template.batch.itemsMax
        )
        if !template.rules.contains(where: { $0.outcome == .accepted }) {
            top.report(
                .conflict,
                at: mark,
                "confirm: no rule of responses says accepted, so there would be no job: add one"
            )
        }
    }
}
