import Basics
import YAML

extension DestinationConfiguration {
    /// The names that no file of templates may give.
    package static let builtInTemplates = [
        "webhook", "file", "kafka-topic", "kafka-table", "file-csv", "s3-csv",
    ]

    /// Reads all destinations of a folder.
    ///
    /// - Parameters:
    ///   - files: The files of ``ConfigurationFolder/definitionFiles(among:)``, in that order.
    ///   - templates: The reading of `include.templates`; of one with problems the settings are not checked.
    ///   - rules: What the shell checks.
    /// - Returns: The destinations that could be read, in order, and every problem.
    package static func read(
        _ files: [ConfigurationFile],
        templates: ConfigurationReading<[TemplateOutline]>,
        rules: DestinationRules
    ) -> ConfigurationReading<[DestinationConfiguration]> {
        ObjectReader.read(
            files,
            kind: "destination",
            keys: ConfigurationKey.anyDestination
        ) { top, findings in
            read(top, findings, templates, rules)
        }
    }

    private static func read(
        _ top: consuming Section,
        _ findings: Findings,
        _ templates: ConfigurationReading<[TemplateOutline]>,
        _ rules: DestinationRules
    ) -> (id: String?, DestinationConfiguration?) {
        let problemsBefore = findings.problemCount
        let id = top.required("id", .identifier)
        let name = top.required("template", .template(builtInTemplates + templates.ids))
        var allowPrivate: [String] = []
        top.list("allow_private", into: &allowPrivate, .addressRange(rules))
        let template: Template?
        switch name {
        case "webhook":
            template = webhook(top.section("settings"), allowPrivate, rules).map { .webhook($0) }
        case "file": template = file(top.section("settings")).map { .file($0) }
        case "kafka-topic": template = kafka(top.section("settings")).map { .kafkaTopic($0) }
        case "kafka-table": template = kafka(top.section("settings")).map { .kafkaTable($0) }
        case "file-csv": template = fileCSV(top.section("settings")).map { .fileCSV($0) }
        case "s3-csv":
            template = objectStoreCSV(top.section("settings"), allowPrivate, rules)
                .map { .objectStoreCSV($0) }
        default:
            if let outline = templates.value.first(where: { $0.name == name }) {
                template = .partner(partner(top.section("settings"), outline, allowPrivate, rules))
            } else {
                // Whatever its settings are, they belong to a template that is not known.
                _ = top.node("settings")
                template = nil
            }
        }
        top.finish()
        guard let id, let template, findings.problemCount == problemsBefore else {
            return (id, nil)
        }
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

    private static func partner(
        _ section: consuming Section,
        _ outline: TemplateOutline,
        _ allowPrivate: [String],
        _ rules: DestinationRules
    ) -> Partner {
        let settings = outline.readSettings(&section) { rules.urlComplaint($0, allowPrivate) }
        section.finish()
        return Partner(template: outline.name, cadences: outline.cadences, settings: settings)
    }

    private static func kafka(_ section: consuming Section) -> Kafka? {
        let topic = section.required("topic", .topic)
        var properties: [String: ReferencedText] = [:]
        KafkaConfiguration.readProperties(section.section("properties"), into: &properties)
        section.finish()
        return topic.map { Kafka(topic: $0, properties: properties) }
    }

    private static func fileCSV(_ section: consuming Section) -> FileCSV? {
        let directory = section.required("dir", .text("a path"))
        section.finish()
        return directory.map { FileCSV(directory: $0) }
    }

    private static func objectStoreCSV(
        _ section: consuming Section,
        _ allowPrivate: [String],
        _ rules: DestinationRules
    ) -> ObjectStoreCSV? {
        let endpoint = section.required("endpoint", .url(allowPrivate, rules))
        let region = section.required("region", .text("a region such as eu-central-1"))
        let bucket = section.required("bucket", .bucket)
        var prefix = ""
        section.read("prefix", into: &prefix, .anyText)
        let accessKey = section.required("access_key", .secret)
        let secretKey = section.required("secret_key", .secret)
        section.finish()
        guard let endpoint, let region, let bucket, let accessKey, let secretKey else { return nil }
        return ObjectStoreCSV(
            endpoint: endpoint,
            region: region,
            bucket: bucket,
            prefix: prefix,
            accessKey: accessKey,
            secretKey: secretKey
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

    fileprivate static func template(_ known: [String]) -> ValueReader<String> {
        text("a template").map { text throws(Refusal) in
            if known.contains(text) { return text }
            let hint =
                Suggestion.nearest(to: text, among: known).map { "did you mean \"\($0)\"?" }
                ?? "expected one of \(known.joined(separator: ", ")), or add it to include.templates"
            throw Refusal(.badValue, "\"\(text)\" is no template (\(hint))")
        }
    }

    /// The name of a bucket by the rule of S3.
    fileprivate static var bucket: ValueReader<String> {
        text("a bucket").map { text throws(Refusal) in
            let isValid =
                (3...63).contains(text.utf8.count)
                && text.utf8.enumerated().allSatisfy { index, byte in
                    switch byte {
                    case UInt8(ascii: "a")...UInt8(ascii: "z"),
                        UInt8(ascii: "0")...UInt8(ascii: "9"):
                        true
                    case UInt8(ascii: "-"), UInt8(ascii: "."):
                        index > 0 && index < text.utf8.count - 1
                    default: false
                    }
                }
            guard isValid else {
                throw Refusal(
                    .badValue,
                    "\"\(text)\" is no bucket (expected 3 to 63 of a-z 0-9 - ., the first and last a letter or digit)"
                )
            }
            return text
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

    /// A reference to a secret; the text itself is never shown, for it may be the secret.
    package static var secret: ValueReader<ReferencedText> {
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
