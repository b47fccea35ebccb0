/// Writes JSON as we send and print it: keys in the order written, no spaces, `/` not escaped, only `"`, `\`
/// and what is below U+0020 escaped, other UTF-8 as it is.
///
/// The caller opens and closes; the writer puts the commas. Wrong nesting is the caller's bug and is not
/// detected.
public struct JSONWriter: Sendable {
    /// The text so far.
    public private(set) var bytes: [UInt8] = []
    private var needsComma = false

    /// An empty document.
    public init() {}

    /// The text so far.
    public var string: String { String(decoding: bytes, as: UTF8.self) }

    /// Forgets what was written and keeps the memory.
    public mutating func clear() {
        bytes.removeAll(keepingCapacity: true)
        needsComma = false
    }

    /// Begins an object with `{`.
    public mutating func beginObject() {
        separate()
        bytes.append(UInt8(ascii: "{"))
        needsComma = false
    }

    /// Ends an object with `}`.
    public mutating func endObject() {
        bytes.append(UInt8(ascii: "}"))
        needsComma = true
    }

    /// Begins an array with `[`.
    public mutating func beginArray() {
        separate()
        bytes.append(UInt8(ascii: "["))
        needsComma = false
    }

    /// Ends an array with `]`.
    public mutating func endArray() {
        bytes.append(UInt8(ascii: "]"))
        needsComma = true
    }

    /// A key of an object; its value must follow.
    public mutating func key(_ name: String) {
        value(name)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    /// A key of an object from UTF-8 bytes; its value must follow.
    public mutating func key(_ name: ByteView) {
        value(name)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    /// A text value.
    public mutating func value(_ text: String) {
        var text = text
        text.withUTF8 { value(ByteView(UnsafeRawBufferPointer($0))) }
    }

    /// A text value from UTF-8 bytes.
    public mutating func value(_ text: ByteView) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        Self.appendEscaped(text, to: &bytes)
        bytes.append(UInt8(ascii: "\""))
        needsComma = true
    }

    /// An integer value.
    public mutating func value<Integer: BinaryInteger>(_ number: Integer) {
        separate()
        bytes.append(contentsOf: String(number).utf8)
        needsComma = true
    }

    /// A number value, shortest text that reads back; the number must be finite.
    public mutating func value(_ number: Double) {
        precondition(number.isFinite, "JSON has no \(number)")
        separate()
        bytes.append(contentsOf: number.description.utf8)
        needsComma = true
    }

    /// `true` or `false`.
    public mutating func value(_ flag: Bool) {
        separate()
        bytes.append(contentsOf: (flag ? "true" : "false").utf8)
        needsComma = true
    }

    /// Writes `null`.
    public mutating func null() {
        separate()
        bytes.append(contentsOf: "null".utf8)
        needsComma = true
    }

    /// A value that is JSON text already.
    public mutating func raw(_ json: [UInt8]) {
        separate()
        bytes.append(contentsOf: json)
        needsComma = true
    }

    /// A key and its text value.
    public mutating func member(_ name: String, _ text: String) {
        key(name)
        value(text)
    }

    /// A key and its integer value.
    public mutating func member<Integer: BinaryInteger>(_ name: String, _ number: Integer) {
        key(name)
        value(number)
    }

    /// A key and its boolean value.
    public mutating func member(_ name: String, _ flag: Bool) {
        key(name)
        value(flag)
    }

    /// Ends a line of JSON Lines.
    public mutating func newline() {
        bytes.append(UInt8(ascii: "\n"))
        needsComma = false
    }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
    }

    /// Appends a text as it stands between the quotes of a JSON text.
    ///
    /// - Complexity: O(bytes); a text with nothing to escape is copied as a whole.
    public static func appendEscaped(_ text: ByteView, to bytes: inout [UInt8]) {
        let source = text.buffer
        var start = 0
        for index in 0..<source.count where needsEscape(source[index]) {
            bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: source[start..<index]))
            appendEscaped(source[index], to: &bytes)
            start = index + 1
        }
        bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: source[start...]))
    }

    private static func needsEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    /// Appends a byte that needs it.
    private static func appendEscaped(_ byte: UInt8, to bytes: inout [UInt8]) {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"):
            bytes.append(UInt8(ascii: "\\"))
            bytes.append(byte)
        case 0x0a: bytes.append(contentsOf: "\\n".utf8)
        case 0x0d: bytes.append(contentsOf: "\\r".utf8)
        case 0x09: bytes.append(contentsOf: "\\t".utf8)
        case 0..<0x20:
            bytes.append(contentsOf: "\\u00".utf8)
            bytes.append(hexDigit(byte >> 4))
            bytes.append(hexDigit(byte & 15))
        default: bytes.append(byte)
        }
    }

    /// The lower-case hexadecimal digit of 0…15.
    public static func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }
}
