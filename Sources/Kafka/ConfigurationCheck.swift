internal import Basics
internal import CRdKafka
#if canImport(Glibc)
internal import Glibc
#endif

/// Looks at librdkafka properties before a client is made of them.
package enum ConfigurationCheck {
    /// The properties that a user may not set, each with the reason shown to him.
    package static let refused: [(name: String, reason: String)] = [
        ("enable.auto.commit", ownOffsets),
        ("enable.auto.offset.store", ownOffsets),
        ("auto.offset.reset", "a start anywhere but at our own offset would lose or repeat events"),
        ("enable.partition.eof", "ticks wait for the end of each partition"),
        ("isolation.level", "events of aborted transactions never count"),
        ("check.crcs", "damaged batches must be noticed"),
        ("group.id", "it is `kafka.group`"),
        ("partition.assignment.strategy", "the hand-over of partitions rests on it"),
        ("acks", "an acknowledged record must be safe"),
        ("enable.idempotence", "a repeated record would be delivered twice"),
        ("plugin.library.paths", "it would load foreign code into the daemon"),
        ("ssl.engine.location", "it would load foreign code into the daemon"),
    ]

    private static let ownOffsets = "offsets are kept with the state they belong to"

    /// Other names under which librdkafka takes a refused property.
    private static let aliases = ["request.required.acks": "acks"]

    /// What is wrong with a property a user gives, as one line for him; nil when the client takes it.
    ///
    /// Looks at one property alone: that a user name needs a mechanism shows only when a client is made.
    package static func problem(_ name: String, _ value: String) -> String? {
        let known = aliases[name] ?? name
        if let entry = refused.first(where: { $0.name == known }) {
            return "\(name) cannot be set: \(entry.reason)"
        }
        guard let configuration = rd_kafka_conf_new() else { return nil }
        defer { rd_kafka_conf_destroy(configuration) }
        return set(name, value, in: configuration)
    }

    /// Sets one property and says what is wrong with it.
    static func set(_ name: String, _ value: String, in configuration: OpaquePointer) -> String? {
        var text = [CChar](repeating: 0, count: 512)
        switch rd_kafka_conf_set(configuration, name, value, &text, text.count) {
        case RD_KAFKA_CONF_OK:
            return nil
        case RD_KAFKA_CONF_UNKNOWN:
            let hint = Suggestion.nearest(to: name, among: propertyNames()).map {
                "; did you mean \($0)?"
            }
            return "\(name) is no property of librdkafka \(version)" + (hint ?? "")
        default:
            return "\(name): \(String(nulTerminated: text))"
        }
    }

    /// The version of the client library in use.
    package static var version: String {
        rd_kafka_version_str().map { String(cString: $0) } ?? "of unknown version"
    }

    /// The first column of the table of properties that the client prints.
    private static func propertyNames() -> [String] {
        var text: UnsafeMutablePointer<CChar>?
        var count = 0
        guard let stream = open_memstream(&text, &count) else { return [] }
        rd_kafka_conf_properties_show(stream)
        fclose(stream)
        guard let text else { return [] }
        defer { free(text) }
        return String(cString: text).split(separator: "\n").compactMap { line in
            let columns = line.split(separator: "|")
            guard columns.count > 2 else { return nil }
            return columns[0].split(separator: " ").first.map { String($0) }
        }
    }
}
