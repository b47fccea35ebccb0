import Basics
import YAML

extension KafkaConfiguration {
    mutating func read(_ section: consuming Section) {
        section.read("topic", into: &topic, .topic)
        section.read("group", into: &group, .text("the name of a group"))
        section.read(
            "dead_letter_topic",
            into: &deadLetterTopic,
            ValueReader<String>.topic.map { text throws(Refusal) in text == "none" ? nil : text }
        )
        section.read("commands_topic", into: &commandsTopic, .topic)
        section.read("control_topic", into: &controlTopic, .topic)
        section.read("start", into: &start, .word)
        section.read("on_gap", into: &onGap, .word)
        section.read("tombstone", into: &tombstone, .word)
        section.read("on_damage", into: &onDamage, .word)
        section.read("repartition", into: &repartition, .flag)
        section.read("event_bytes_max", into: &eventBytesMax, .size(1...1 << 30))
        Self.readProperties(section.section("properties"), into: &properties)
        checkTopics(&section)
        section.finish()
    }

    /// Reads properties of librdkafka; each goes over what `properties` holds.
    static func readProperties(
        _ section: consuming Section,
        into properties: inout [String: ReferencedText]
    ) {
        for pair in section.openPairs() {
            let path = section.path(of: pair.key)
            if let (name, reason) = refusedProperties.first(where: { $0.key == pair.key }) {
                section.report(
                    .refused,
                    at: pair.keyMark,
                    "\(path): \(name) is the daemon's: \(reason)"
                )
                continue
            }
            let text: String
            switch pair.value.value {
            case .text(let written): text = written
            case .boolean, .integer, .double: text = pair.value.source
            case .mapping:
                section.report(
                    .badType,
                    pair.value,
                    "\(path): expected a value, not a map: write names whole, such as bootstrap.servers"
                )
                continue
            case .null, .sequence:
                section.report(
                    .badType,
                    pair.value,
                    "\(path): expected a value, not \(pair.value.kind)"
                )
                continue
            }
            guard !pair.key.isEmpty, !pair.key.utf8.contains(0), !text.utf8.contains(0) else {
                section.report(.badValue, pair.value, "\(path): a zero byte, or no name")
                continue
            }
            guard let value = ReferencedText(text) else {
                section.report(
                    .badValue,
                    pair.value,
                    "\(path): \"\(text)\" refers to nothing (expected credential:NAME, file:/PATH or env:NAME)"
                )
                continue
            }
            properties[pair.key] = value
        }
        section.finish()
    }

    /// Events and what is made of them must not go round in a circle.
    private func checkTopics(_ section: inout Section) {
        let others: [(String, String?)] = [
            ("dead_letter_topic", deadLetterTopic), ("commands_topic", commandsTopic),
            ("control_topic", controlTopic),
        ]
        var seen = [("topic", topic)]
        for (key, name) in others {
            guard let name else { continue }
            if let (other, _) = seen.first(where: { $0.1 == name }) {
                let node = section.node(key) ?? section.node(other)
                let text =
                    "kafka.\(key): \"\(name)\" is kafka.\(other) already: each needs its own topic"
                section.report(.conflict, at: node?.mark ?? section.mark, text)
            }
            seen.append((key, name))
        }
    }
}
