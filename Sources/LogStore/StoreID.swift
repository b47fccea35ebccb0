import Basics

/// The id of one data directory, made once when it is: 16 bytes, written as a UUID.
package struct StoreID: Equatable, Hashable, Sendable, CustomStringConvertible {
    /// The first eight bytes, most significant first.
    package let high: UInt64
    /// The last eight bytes.
    package let low: UInt64

    /// An id of the given bits; the shell takes them from the system's source of randomness.
    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Reads 32 hexadecimal digits; dashes are ignored.
    ///
    /// Nil when it is anything else.
    package init?(_ text: some StringProtocol) {
        let digits = String(text.filter { $0 != "-" })
        guard digits.utf8.count == 32,
            digits.utf8.allSatisfy({ Character(UnicodeScalar($0)).isHexDigit }),
            let high = UInt64(digits.prefix(16), radix: 16),
            let low = UInt64(digits.suffix(16), radix: 16)
        else { return nil }
        self.init(high: high, low: low)
    }

    /// The id with dashes.
    package var description: String {
        let digits = Hexadecimal.text(high, digits: 16) + Hexadecimal.text(low, digits: 16)
        var text = ""
        for (index, digit) in digits.enumerated() {
            if [8, 12, 16, 20].contains(index) { text += "-" }
            text.append(digit)
        }
        return text
    }

    func write(to writer: inout ByteWriter) {
        writer.write(high.bigEndian)
        writer.write(low.bigEndian)
    }
}

/// Numbers as lower-case hexadecimal digits of a fixed width.
enum Hexadecimal {
    static func text(_ value: UInt64, digits: Int) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
    }
}
