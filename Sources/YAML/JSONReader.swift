/// Reads one strict RFC 8259 value, with places.
///
/// Anything that is no JSON ends the reading without a word: the document is then YAML's.
struct JSONReader {
    /// The document is no JSON.
    private struct NotJSON: Error {}

    private let bytes: [UInt8]
    private let end: Int
    private var position: Int
    private var cursor: MarkCursor
    private var tree = TreeBuilder()
    private var isTooDeep = false

    private init(bytes: [UInt8], range: Range<Int>, cursor: MarkCursor) {
        self.bytes = bytes
        self.cursor = cursor
        position = range.lowerBound
        end = range.upperBound
    }

    /// Reads the value in a range of a file.
    ///
    /// - Parameters:
    ///   - bytes: The file, which is UTF-8.
    ///   - range: Where the document lies.
    ///   - cursor: Finds places; left where it was unless there is an answer.
    ///   - tree: Receives the problems; left as it was unless there is an answer.
    /// - Returns: The value, or nothing where it nests too deep; nil where the range does not hold exactly
    ///   one list or map of JSON.
    static func read(
        _ bytes: [UInt8],
        _ range: Range<Int>,
        _ cursor: inout MarkCursor,
        into tree: inout TreeBuilder
    ) -> [Node]? {
        var reader = JSONReader(bytes: bytes, range: range, cursor: cursor)
        reader.skipWhiteSpace()
        guard reader.peek == UInt8(ascii: "{") || reader.peek == UInt8(ascii: "[") else {
            return nil
        }
        do throws(NotJSON) {
            let root = try reader.value(depth: 1)
            reader.skipWhiteSpace()
            guard reader.position == reader.end || reader.isTooDeep else { return nil }
            cursor = reader.cursor
            tree = reader.tree
            return reader.isTooDeep ? [] : [root]
        } catch {
            // No JSON: YAML says what is wrong with it.
            return nil
        }
    }

    /// The byte at hand, 0 at the end (which stands nowhere in JSON).
    private var peek: UInt8 { position < end ? bytes[position] : 0 }

    private mutating func skipWhiteSpace() {
        while peek == 0x20 || peek == 0x0a || peek == 0x0d || peek == 0x09 { position += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) throws(NotJSON) {
        guard peek == UInt8(ascii: character) else { throw NotJSON() }
        position += 1
    }

    private mutating func value(depth: Int) throws(NotJSON) -> Node {
        skipWhiteSpace()
        let start = position
        let mark = cursor.mark(byte: start)
        switch peek {
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            guard depth <= DocumentReader.depthMax else {
                // Reading on could not change the answer. What follows is not looked at.
                if !isTooDeep { tree.lose(.documentTooDeep, mark, TreeBuilder.tooDeepText) }
                isTooDeep = true
                return Node(value: .null, mark: mark)
            }
            let isMap = peek == UInt8(ascii: "{")
            return Node(value: isMap ? try map(depth) : try list(depth), mark: mark)
        case UInt8(ascii: "\""):
            let text = try text()
            return Node(value: .text(text), mark: mark, source: text)
        case UInt8(ascii: "t"): return try word("true", .boolean(true), mark)
        case UInt8(ascii: "f"): return try word("false", .boolean(false), mark)
        case UInt8(ascii: "n"): return try word("null", .null, mark)
        default:
            try number()
            let source = String(decoding: bytes[start..<position], as: UTF8.self)
            guard let value = CoreSchema.number(literal: source) else { throw NotJSON() }
            return Node(value: value, mark: mark, source: source)
        }
    }

    private mutating func list(_ depth: Int) throws(NotJSON) -> Node.Value {
        var nodes: [Node] = []
        try take("[")
        skipWhiteSpace()
        if peek != UInt8(ascii: "]") {
            while true {
                nodes.append(try value(depth: depth + 1))
                if isTooDeep { return .null }
                skipWhiteSpace()
                if peek != UInt8(ascii: ",") { break }
                position += 1
            }
        }
        try take("]")
        return .sequence(nodes)
    }

    private mutating func map(_ depth: Int) throws(NotJSON) -> Node.Value {
        var pairs: [Node.Pair] = []
        var seen: [[UInt8]: Mark] = [:]
        try take("{")
        skipWhiteSpace()
        if peek != UInt8(ascii: "}") {
            while true {
                skipWhiteSpace()
                let keyMark = cursor.mark(byte: position)
                let key = try text()
                skipWhiteSpace()
                try take(":")
                let value = try value(depth: depth + 1)
                if isTooDeep { return .null }
                tree.add(
                    Node.Pair(key: key, keyMark: keyMark, value: value),
                    to: &pairs,
                    seen: &seen
                )
                skipWhiteSpace()
                if peek != UInt8(ascii: ",") { break }
                position += 1
            }
        }
        try take("}")
        return .mapping(pairs)
    }

    private mutating func word(
        _ word: String,
        _ value: Node.Value,
        _ mark: Mark
    ) throws(NotJSON) -> Node {
        guard bytes[position..<end].starts(with: word.utf8) else { throw NotJSON() }
        position += word.utf8.count
        return Node(value: value, mark: mark, source: word)
    }

    /// Goes over `-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?`.
    private mutating func number() throws(NotJSON) {
        if peek == UInt8(ascii: "-") { position += 1 }
        if peek == UInt8(ascii: "0") { position += 1 } else { try digits() }
        if peek == UInt8(ascii: ".") {
            position += 1
            try digits()
        }
        if peek | 0x20 == UInt8(ascii: "e") {
            position += 1
            if peek == UInt8(ascii: "+") || peek == UInt8(ascii: "-") { position += 1 }
            try digits()
        }
    }

    private mutating func digits() throws(NotJSON) {
        let start = position
        while peek &- 0x30 < 10 { position += 1 }
        guard position > start else { throw NotJSON() }
    }

    private mutating func text() throws(NotJSON) -> String {
        var unescaped: [UInt8] = []
        try take("\"")
        while peek != UInt8(ascii: "\"") {
            guard peek >= 0x20 else { throw NotJSON() }
            if peek == UInt8(ascii: "\\") {
                position += 1
                UTF8.encode(try escape()) { unescaped.append($0) }
            } else {
                unescaped.append(peek)
                position += 1
            }
        }
        position += 1
        return String(decoding: unescaped, as: UTF8.self)
    }

    /// The scalar of an escape of which the backslash is taken.
    private mutating func escape() throws(NotJSON) -> Unicode.Scalar {
        let letter = peek
        position += 1
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"):
            return Unicode.Scalar(letter)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{c}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"):
            let unit = try fourHexadecimalDigits()
            if let scalar = Unicode.Scalar(unit) { return scalar }
            guard unit < 0xdc00 else { throw NotJSON() }
            try take("\\")
            try take("u")
            let second = try fourHexadecimalDigits()
            guard (0xdc00...0xdfff).contains(second),
                let scalar = Unicode.Scalar(0x10000 + (unit - 0xd800) << 10 + (second - 0xdc00))
            else { throw NotJSON() }
            return scalar
        default: throw NotJSON()
        }
    }

    private mutating func fourHexadecimalDigits() throws(NotJSON) -> UInt32 {
        var unit: UInt32 = 0
        for _ in 0..<4 {
            let digit: UInt8
            switch peek {
            case 0x30...0x39: digit = peek - 0x30
            case 0x41...0x46, 0x61...0x66: digit = (peek | 0x20) - 0x61 + 10
            default: throw NotJSON()
            }
            unit = unit << 4 | UInt32(digit)
            position += 1
        }
        return unit
    }
}
