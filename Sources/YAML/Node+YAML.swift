extension Node {
    /// The tree as a YAML document that reads back as the same tree, in the manner of a person.
    ///
    /// Maps and lists go on one line where they fit, but a list of maps has a line for each element:
    /// ```
    /// users:
    ///   all:
    ///     - performed: {event: add_to_cart, last: 24h}
    /// ```
    /// Marks and sources play no part; an empty map is `{}`, an empty list `[]`. Keys may have up to 1,024
    /// characters, which is libyaml's limit.
    public var yaml: String {
        var printer = YAMLPrinter()
        printer.append(block: self, indent: 0)
        return printer.text
    }
}

/// Writes nodes as YAML.
private struct YAMLPrinter {
    /// How far a line goes before it is broken.
    private static let columnMax = 100

    private(set) var text = ""

    /// Appends a node that begins a line, or stands behind `- ` at that indentation.
    mutating func append(block node: Node, indent: Int) {
        switch node.value {
        case .mapping(let pairs) where !pairs.isEmpty:
            for (index, pair) in pairs.enumerated() {
                if index > 0 { append(spaces: indent) }
                let key = Self.scalar(pair.key)
                text += key + ":"
                append(value: pair.value, indent: indent, column: indent + key.count + 1)
            }
        case .sequence(let nodes) where !nodes.isEmpty:
            for (index, node) in nodes.enumerated() {
                if index > 0 { append(spaces: indent) }
                text += "-"
                append(element: node, indent: indent)
            }
        default: text += Self.flow(node) + "\n"
        }
    }

    /// What follows `key:`.
    private mutating func append(value node: Node, indent: Int, column: Int) {
        let flow = Self.flow(node)
        if Self.isShort(node), column + 1 + flow.count <= Self.columnMax || Self.isScalar(node) {
            text += " " + flow + "\n"
        } else {
            text += "\n"
            append(spaces: indent + 2)
            append(block: node, indent: indent + 2)
        }
    }

    /// What follows `-`.
    private mutating func append(element node: Node, indent: Int) {
        text += " "
        switch node.value {
        case .mapping(let pairs) where pairs.count > 1 && Self.isShort(node):
            let flow = Self.flow(node)
            if indent + 2 + flow.count <= Self.columnMax {
                text += flow + "\n"
            } else {
                append(block: node, indent: indent + 2)
            }
        default: append(block: node, indent: indent + 2)
        }
    }

    private mutating func append(spaces count: Int) {
        text += String(repeating: " ", count: count)
    }

    /// Whether a node may stand on one line.
    private static func isShort(_ node: Node) -> Bool {
        switch node.value {
        case .sequence(let nodes): nodes.allSatisfy(isScalar)
        case .mapping(let pairs): pairs.allSatisfy { isShort($0.value) }
        default: true
        }
    }

    private static func isScalar(_ node: Node) -> Bool {
        switch node.value {
        case .sequence, .mapping: false
        default: true
        }
    }

    /// A node on one line.
    private static func flow(_ node: Node) -> String {
        switch node.value {
        case .null: "null"
        case .boolean(let flag): flag ? "true" : "false"
        case .integer(let number): String(number)
        case .double(let number): double(number)
        case .text(let text): scalar(text)
        case .sequence(let nodes): "[" + nodes.map(flow).joined(separator: ", ") + "]"
        case .mapping(let pairs):
            "{" + pairs.map { scalar($0.key) + ": " + flow($0.value) }.joined(separator: ", ") + "}"
        }
    }

    private static func double(_ number: Double) -> String {
        if number.isNaN { return ".nan" }
        if number.isInfinite { return number < 0 ? "-.inf" : ".inf" }
        return number.description
    }

    // MARK: Texts

    /// Words that other readers of YAML take for booleans.
    private static let reserved: Set<String> = ["y", "n", "yes", "no", "on", "off"]

    /// A text, in quotes where it would be read as something else.
    private static func scalar(_ text: String) -> String {
        isPlain(text) ? text : quoted(text)
    }

    private static func isPlain(_ text: String) -> Bool {
        guard let first = text.utf8.first, let last = text.utf8.last, isWord(first), last != space,
            !reserved.contains(text.lowercased()),
            text.utf8.allSatisfy({ isWord($0) || $0 == space || ".-+/".utf8.contains($0) })
        else { return false }
        if case .text = CoreSchema.value(ofPlain: text) { return true }
        return false
    }

    private static let space = UInt8(ascii: " ")

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\r": quoted += "\\r"
            case "\t": quoted += "\\t"
            default:
                if isPrintable(scalar) {
                    quoted.unicodeScalars.append(scalar)
                } else {
                    let digits = String(scalar.value, radix: 16)
                    let width = scalar.value > 0xffff ? 8 : 4
                    quoted += (width == 8 ? "\\U" : "\\u")
                    quoted += String(repeating: "0", count: width - digits.count) + digits
                }
            }
        }
        return quoted + "\""
    }

    /// Whether a terminal shows it, and libyaml takes it as it stands.
    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse,
            .unassigned:
            false
        default: true
        }
    }
}
