/// A JSON value as text, of which parts are taken out as they were written: keys in their order, numbers in
/// their spelling.
///
/// The text must be known to be JSON, as it is once a decoder has read it; of anything else the parts are
/// meaningless, though no access goes beyond the text.
struct JSONText {
    let bytes: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) {
        self.init(bytes[...])
    }

    private init(_ bytes: ArraySlice<UInt8>) {
        let start = bytes.firstIndex { !Self.isSpace($0) } ?? bytes.endIndex
        let last = bytes.lastIndex { !Self.isSpace($0) }
        self.bytes = last.map { bytes[start...$0] } ?? bytes[start..<start]
    }

    /// The elements of an array; none of anything else.
    var elements: [JSONText] { bytes.first == UInt8(ascii: "[") ? parts : [] }

    /// The value of a member of an object; `name` is one that needs no escapes.
    func member(_ name: String) -> JSONText? {
        guard bytes.first == UInt8(ascii: "{") else { return nil }
        let key = Array("\"\(name)\"".utf8)
        for part in parts where part.bytes.starts(with: key) {
            let rest = JSONText(part.bytes.dropFirst(key.count)).bytes
            if rest.first == UInt8(ascii: ":") { return JSONText(rest.dropFirst()) }
        }
        return nil
    }

    /// The same value, one member or element a line.
    var indented: String {
        var lines: [UInt8] = []
        var depth = 0
        var scan = Scan()
        var previous: UInt8 = 0
        func breakLine() {
            lines.append(UInt8(ascii: "\n"))
            lines += [UInt8](repeating: UInt8(ascii: " "), count: 2 * depth)
        }
        for byte in bytes {
            let isStructure = scan.isStructure(byte)
            if isStructure, Self.isSpace(byte) { continue }
            let opened = previous == UInt8(ascii: "{") || previous == UInt8(ascii: "[")
            switch byte {
            case UInt8(ascii: "}") where isStructure, UInt8(ascii: "]") where isStructure:
                depth = max(0, depth - 1)
                if !opened { breakLine() }
            default:
                if opened { breakLine() }
            }
            lines.append(byte)
            previous = isStructure ? byte : 0
            guard isStructure else { continue }
            switch byte {
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: ","): breakLine()
            case UInt8(ascii: ":"): lines.append(UInt8(ascii: " "))
            default: break
            }
        }
        return String(decoding: lines, as: UTF8.self)
    }

    /// What stands between the outermost brackets, cut at its commas.
    private var parts: [JSONText] {
        var parts: [JSONText] = []
        var depth = 0
        var scan = Scan()
        var start = bytes.startIndex
        for (index, byte) in zip(bytes.indices, bytes) where scan.isStructure(byte) {
            switch byte {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                if depth == 1 { start = index + 1 }
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                if depth == 0 {
                    let last = JSONText(bytes[start..<index])
                    return last.bytes.isEmpty && parts.isEmpty ? [] : parts + [last]
                }
            case UInt8(ascii: ",") where depth == 1:
                parts.append(JSONText(bytes[start..<index]))
                start = index + 1
            default: break
            }
        }
        return parts
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09
    }

    /// Knows which bytes stand outside of texts.
    private struct Scan {
        private var isInText = false
        private var isEscaped = false

        mutating func isStructure(_ byte: UInt8) -> Bool {
            if isEscaped {
                isEscaped = false
                return false
            }
            if isInText {
                if byte == UInt8(ascii: "\\") { isEscaped = true }
                if byte == UInt8(ascii: "\"") { isInText = false }
                return false
            }
            if byte == UInt8(ascii: "\"") {
                isInText = true
                return false
            }
            return true
        }
    }
}
