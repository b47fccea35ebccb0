import Basics
import YAML

extension DestinationConfiguration {
    /// Templates that later versions bring, so that their names are told from mistyped ones.
    static let laterTemplates = ["kafka-topic", "kafka-table", "file-csv", "s3-csv"]
    static let templates = ["webhook", "file"]
    /// The names that no file of templates may give.
    package static var builtInTemplates: [String] { templates + laterTemplates }

    /// Reads all destinations of a folder.
    ///
    /// - Parameters:
    ///   - files: The files of ``ConfigurationFolder/definitionFiles(among:)``, in that order.
    ///   - rules: What the shell checks.
    /// - Returns: The destinations that could be read, in order, and every problem.
    package static func read(
        _ files: [ConfigurationFile],
        rules: DestinationRules
    ) -> ConfigurationReading<[DestinationConfiguration]> {
        ObjectReader.read(
            files,
            kind: "destination",
            keys: ConfigurationKey.destination + ConfigurationKey.webhook + ConfigurationKey.file
        ) { top, findings in
            read(top, findings, rules)
        }
    }

    private static func read(
        _ top: consuming Section,
        _ findings: Findings,
        _ rules: DestinationRules
    ) -> (id: String?, DestinationConfiguration?) {
        let id = top.required("id", .identifier)
        let name = top.required("template", .template)
        var allowPrivate: [String] = []
        top.list("allow_private", into: &allowPrivate, .addressRange(rules))
        var template: Template?
        switch name {
        case "webhook":
            template = webhook(top.section("settings"), allowPrivate, rules).map { .webhook($0) }
        case "file":
            template = file(top.section("settings")).map { .file($0) }
        default:
            // Whatever its settings are, they belong to the template that is not known.
            _ = top.node("settings")
        }
        top.finish()
        guard let id, let template else { return (id, nil) }
        return (
            id,
            DestinationConfiguration(
                id: id,
                template: template,
                allowPrivate: allowPrivate,
                places: findings.places
            )
        )
    }

    private static func webhook(
        _ section: consuming Section,
        _ allowPrivate: [String],
        _ rules: DestinationRules
    ) -> Webhook? {
        let url = section.required("url", .url(allowPrivate, rules))
        let secret = section.required("secret", .secret)
        var timeout: Int64 = 30_000
        section.read("timeout", into: &timeout, .duration(1000...120_000))
        section.finish()
        guard let url, let secret else { return nil }
        return Webhook(url: url, secret: secret, timeoutMilliseconds: timeout)
    }

    private static func file(_ section: consuming Section) -> File? {
        let path = section.required("path", .text("a path"))
        section.finish()
        return path.map { File(path: $0) }
    }
}

extension ValueReader where Value == String {
    fileprivate static func addressRange(_ rules: DestinationRules) -> ValueReader<String> {
        text("a CIDR range such as 10.0.0.0/8").map { text throws(Refusal) in
            if let complaint = rules.rangeComplaint(text) {
                throw Refusal(.badValue, "\"\(text)\": \(complaint)")
            }
            return text
        }
    }

    fileprivate static var template: ValueReader<String> {
        text("a template").map { text throws(Refusal) in
            let known = DestinationConfiguration.templates
            if known.contains(text) { return text }
            let later = DestinationConfiguration.laterTemplates
            if !later.contains(text),
                let near = Suggestion.nearest(to: text, among: known + later)
            {
                throw Refusal(.badValue, "\"\(text)\" is no template (did you mean \"\(near)\"?)")
            }
            throw Refusal(
                .notYet,
                "not yet: template \"\(text)\" (expected one of \(known.joined(separator: ", ")))"
            )
        }
    }
}

extension ValueReader where Value == ReferencedText {
    fileprivate static func url(
        _ allowPrivate: [String],
        _ rules: DestinationRules
    ) -> ValueReader<ReferencedText> {
        referenced("a URL").map { value throws(Refusal) in
            if case .plain(let text) = value,
                let complaint = rules.urlComplaint(text, allowPrivate)
            {
                throw Refusal(.badValue, complaint)
            }
            return value
        }
    }

    /// The text itself is never shown, for it may be the secret.
    fileprivate static var secret: ValueReader<ReferencedText> {
        ValueReader { node throws(Refusal) in
            let expected = "expected credential:NAME, file:/PATH or env:NAME"
            guard let text = node.textValue, !text.isEmpty, let value = ReferencedText(text) else {
                throw Refusal(.badValue, "a secret is given by reference (\(expected))")
            }
            guard value.isReference else {
                throw Refusal(.plainSecret, "a secret does not stand in a file (\(expected))")
            }
            return value
        }
    }
}
