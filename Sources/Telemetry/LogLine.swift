package import Basics

/// One notable occurrence: an event name, a sentence for people, fields for machines.
///
/// A line never holds user properties, secrets or bodies of a destination; the caller sees to that. Whatever
/// bytes a field holds, the line stays one line.
package struct LogLine: Sendable {
    /// A name and its value.
    package struct Field: Hashable, Sendable {
        /// A lower_snake word; none of `at level event text repeated`.
        package var key: String
        /// Its value.
        package var value: LogValue

        /// A field from its parts.
        package init(key: String, value: LogValue) {
            self.key = key
            self.value = value
        }
    }

    /// The names that every line uses itself.
    package static let reservedKeys = ["at", "level", "event", "text", "repeated"]

    /// How much it matters.
    package var level: LogLevel
    /// The stable name of the occurrence: `partition.halted`.
    package var event: String
    /// What happened and what to do about it, as a sentence.
    package var text: String
    /// In the order in which they are written.
    package var fields: [Field]
    /// Lines of one event and one key are rate-limited; nil = every line is written.
    package var repeatKey: String?

    /// A line from its parts.
    package init(
        _ level: LogLevel,
        event: String,
        text: String,
        fields: KeyValuePairs<String, LogValue> = [:],
        repeatKey: String? = nil
    ) {
        self.level = level
        self.event = event
        self.text = text
        self.fields = fields.map { Field(key: $0.key, value: $0.value) }
        self.repeatKey = repeatKey
        for field in self.fields {
            precondition(
                !Self.reservedKeys.contains(field.key),
                "log field \(field.key) of \(event)"
            )
        }
    }

    /// The line as bytes, with its newline.
    package func rendered(as format: LogFormat, at time: EventTime, repeated: Int = 0) -> [UInt8] {
        var fields = fields
        if repeated > 0 { fields.append(Field(key: "repeated", value: LogValue(repeated))) }
        switch format {
        case .json: return json(at: time, fields: fields)
        case .text:
            return plain("\(time.rfc3339) \(level.rawValue) ", fields: fields)
        case .journald:
            return plain("<\(level.priority)>", fields: fields)
        }
    }

    private func plain(_ head: String, fields: [Field]) -> [UInt8] {
        var bytes = Array("\(head)\(event): ".utf8)
        appendOneLine(text, to: &bytes)
        for field in fields {
            bytes.append(contentsOf: " \(field.key)=".utf8)
            switch field.value {
            case .text(let text): appendWord(text, to: &bytes)
            case .integer(let number): bytes.append(contentsOf: "\(number)".utf8)
            case .double(let number): bytes.append(contentsOf: "\(number)".utf8)
            case .flag(let flag): bytes.append(contentsOf: "\(flag)".utf8)
            case .list(let texts): appendWord(texts.joined(separator: ","), to: &bytes)
            }
        }
        bytes.append(UInt8(ascii: "\n"))
        return bytes
    }

    private func json(at time: EventTime, fields: [Field]) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("at", time.rfc3339)
        writer.member("level", level.rawValue)
        writer.member("event", event)
        writer.member("text", text)
        for field in fields {
            switch field.value {
            case .text(let text): writer.member(field.key, text)
            case .integer(let number): writer.member(field.key, number)
            case .double(let number):
                writer.key(field.key)
                // JSON has no word for these; a reader of the log still sees what it was.
                if number.isFinite { writer.value(number) } else { writer.value("\(number)") }
            case .flag(let flag): writer.member(field.key, flag)
            case .list(let texts):
                writer.key(field.key)
                writer.beginArray()
                for text in texts { writer.value(text) }
                writer.endArray()
            }
        }
        writer.endObject()
        writer.newline()
        return writer.bytes
    }
}

/// Appends text with control characters escaped, so that nobody can forge a second line.
private func appendOneLine(_ text: String, to bytes: inout [UInt8]) {
    for byte in text.utf8 {
        switch byte {
        case 0x0a: bytes.append(contentsOf: "\\n".utf8)
        case 0x0d: bytes.append(contentsOf: "\\r".utf8)
        case 0x09: bytes.append(contentsOf: "\\t".utf8)
        case 0..<0x20, 0x7f:
            bytes.append(contentsOf: "\\u00".utf8)
            bytes.append(JSONWriter.hexDigit(byte >> 4))
            bytes.append(JSONWriter.hexDigit(byte & 15))
        default: bytes.append(byte)
        }
    }
}

/// Appends a value as it is if it is one plain word, else as a JSON string.
private func appendWord(_ text: String, to bytes: inout [UInt8]) {
    let isPlain =
        !text.isEmpty
        && text.utf8.allSatisfy { byte in
            byte > 0x20 && byte != 0x7f && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
                && byte != UInt8(ascii: "=")
        }
    if isPlain {
        bytes.append(contentsOf: text.utf8)
    } else {
        var writer = JSONWriter()
        writer.value(text)
        bytes.append(contentsOf: writer.bytes)
    }
}
