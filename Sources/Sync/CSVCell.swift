import Basics

/// A cell of a CSV file by RFC 4180, harmless in a spreadsheet.
enum CSVCell {
    /// Appends a text, quoted where it must be.
    ///
    /// A text that a spreadsheet would take for a formula gets a `'` in front. A number keeps its sign.
    static func append(_ text: ByteView, to bytes: inout [UInt8]) {
        let source = text.buffer
        let quote = UInt8(ascii: "\"")
        let needsQuotes = source.contains {
            $0 == quote || $0 == UInt8(ascii: ",") || $0 == 0x0a || $0 == 0x0d
        }
        if needsQuotes { bytes.append(quote) }
        if let first = source.first, startsFormula(first), !isNumber(source) {
            bytes.append(UInt8(ascii: "'"))
        }
        if needsQuotes {
            for byte in source {
                if byte == quote { bytes.append(quote) }
                bytes.append(byte)
            }
            bytes.append(quote)
        } else {
            bytes.append(contentsOf: source)
        }
    }

    private static func startsFormula(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "="), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "@"), 0x09, 0x0d:
            true
        default: false
        }
    }

    /// `[+-]digits[.digits][e[+-]digits]`.
    private static func isNumber(_ text: UnsafeRawBufferPointer) -> Bool {
        var rest = text[...]
        func takeSign() {
            if let sign = rest.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") {
                rest = rest.dropFirst()
            }
        }
        func takeDigits() -> Bool {
            let count = rest.prefix { $0 &- 0x30 < 10 }.count
            rest = rest.dropFirst(count)
            return count > 0
        }
        takeSign()
        guard takeDigits() else { return false }
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            guard takeDigits() else { return false }
        }
        if let letter = rest.first, letter | 0x20 == UInt8(ascii: "e") {
            rest = rest.dropFirst()
            takeSign()
            guard takeDigits() else { return false }
        }
        return rest.isEmpty
    }
}
