/// The members of a JSON object, in their order, as they stand in its text.
///
/// For text that this program wrote (``JSONWriter``): nothing is validated. In text that is no JSON the members
/// end early; nothing traps.
public struct JSONMembers {
    private let text: ByteView
    private var offset = 0

    /// The members of an object.
    public init(_ object: ByteView) {
        text = object
        skipSpace()
        if !take("{") { offset = text.count }
    }

    /// The next member: its name without quotes, escapes untouched, and its value as JSON.
    ///
    /// - Complexity: O(bytes of the member).
    public mutating func next() -> (name: ByteView, value: ByteView)? {
        skipSpace()
        guard let name = string() else { return nil }
        skipSpace()
        guard take(":") else { return nil }
        skipSpace()
        let start = offset
        skipValue()
        let value = slice(start, offset)
        skipSpace()
        if !take(",") { offset = text.count }
        return value.isEmpty ? nil : (slice(name.lowerBound + 1, name.upperBound - 1), value)
    }

    /// Appends a text as it is meant, from how it stands between the quotes of a JSON text.
    public static func appendUnescaped(_ escaped: ByteView, to bytes: inout [UInt8]) {
        let source = escaped.buffer
        var index = 0
        while index < source.count {
            let byte = source[index]
            index += 1
            guard byte == UInt8(ascii: "\\"), index < source.count else {
                bytes.append(byte)
                continue
            }
            let kind = source[index]
            index += 1
            switch kind {
            case UInt8(ascii: "n"): bytes.append(0x0a)
            case UInt8(ascii: "r"): bytes.append(0x0d)
            case UInt8(ascii: "t"): bytes.append(0x09)
            case UInt8(ascii: "b"): bytes.append(0x08)
            case UInt8(ascii: "f"): bytes.append(0x0c)
            case UInt8(ascii: "u"):
                let scalar = scalar(source, &index)
                bytes.append(contentsOf: String(Character(scalar)).utf8)
            default: bytes.append(kind)
            }
        }
    }

    /// The scalar of `\u`, or of a pair of surrogates; what is none becomes U+FFFD.
    private static func scalar(
        _ source: UnsafeRawBufferPointer,
        _ index: inout Int
    ) -> Unicode.Scalar {
        let first = codeUnit(source, &index)
        let isHigh = (0xd800..<0xdc00).contains(first)
        if isHigh, index + 6 <= source.count, source[index] == UInt8(ascii: "\\"),
            source[index + 1] == UInt8(ascii: "u")
        {
            var next = index + 2
            let second = codeUnit(source, &next)
            if (0xdc00..<0xe000).contains(second) {
                index = next
                return Unicode.Scalar(0x10000 + (first - 0xd800) << 10 + (second - 0xdc00))
                    ?? "\u{fffd}"
            }
        }
        return Unicode.Scalar(first) ?? "\u{fffd}"
    }

    private static func codeUnit(_ source: UnsafeRawBufferPointer, _ index: inout Int) -> UInt32 {
        var value: UInt32 = 0
        let end = min(index + 4, source.count)
        while index < end {
            let byte = source[index]
            let digit = byte < 0x3a ? byte &- 0x30 : (byte | 0x20) &- 0x61 &+ 10
            value = value << 4 | UInt32(digit & 15)
            index += 1
        }
        return value
    }

    private mutating func skipValue() {
        guard offset < text.count else { return }
        switch text.base[offset] {
        case UInt8(ascii: "\""):
            _ = string()
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            skipNested()
        default:
            while offset < text.count, !Self.endsScalar(text.base[offset]) { offset += 1 }
        }
    }

    private mutating func skipNested() {
        var depth = 0
        while offset < text.count {
            switch text.base[offset] {
            case UInt8(ascii: "\""):
                if string() == nil { return }
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            default: break
            }
            offset += 1
            if depth == 0 { return }
        }
    }

    /// A text with its quotes.
    private mutating func string() -> Range<Int>? {
        let start = offset
        guard take("\"") else { return nil }
        while offset < text.count {
            let byte = text.base[offset]
            offset += 1
            if byte == UInt8(ascii: "\"") { return start..<offset }
            if byte == UInt8(ascii: "\\") { offset += 1 }
        }
        offset = text.count
        return nil
    }

    private static func endsScalar(_ byte: UInt8) -> Bool {
        byte <= 0x20 || byte == UInt8(ascii: ",") || byte == UInt8(ascii: "}")
    }

    private mutating func skipSpace() {
        while offset < text.count, text.base[offset] <= 0x20 { offset += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard offset < text.count, text.base[offset] == UInt8(ascii: character) else {
            return false
        }
        offset += 1
        return true
    }

    private func slice(_ start: Int, _ end: Int) -> ByteView {
        ByteView(base: text.base + start, count: end - start)
    }
}
