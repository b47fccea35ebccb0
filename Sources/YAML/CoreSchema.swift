/// What a plain scalar is, after the core schema of YAML 1.2 (10.3.2).
///
/// `no`, `on`, `12:30` and dates are texts; `0o17` and `0x1F` are numbers, `017` is 17.
enum CoreSchema {
    /// The value of an unquoted scalar.
    static func value(ofPlain text: String) -> Node.Value {
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE": return .boolean(true)
        case "false", "False", "FALSE": return .boolean(false)
        case ".nan", ".NaN", ".NAN": return .double(.nan)
        default: return number(text) ?? .text(text)
        }
    }

    /// A number after the grammar of the core schema, nil for anything else.
    private static func number(_ text: String) -> Node.Value? {
        // No number begins with anything else; most texts leave here.
        guard let first = text.utf8.first, first < 0x3a, first >= 0x2b else { return nil }
        if text.hasPrefix("0o") { return integer(text.dropFirst(2), bitsPerDigit: 3) }
        if text.hasPrefix("0x") { return integer(text.dropFirst(2), bitsPerDigit: 4) }
        let isNegative = first == UInt8(ascii: "-")
        let body = isNegative || first == UInt8(ascii: "+") ? text.dropFirst() : text[...]
        if [".inf", ".Inf", ".INF"].contains(body) {
            return .double(isNegative ? -.infinity : .infinity)
        }
        guard let literal = decimal(body.utf8) else { return nil }
        return number(literal: (isNegative ? "-" : "") + literal)
    }

    /// A number from a literal that is written as JSON writes them (leading zeros are allowed).
    static func number(literal: String) -> Node.Value? {
        if let integer = Int64(literal) { return .integer(integer) }
        return Double(literal).map { .double($0) }
    }

    /// `[0-9]+(\.[0-9]*)?` or `\.[0-9]+`, then an exponent or not, in the form `Double.init` takes.
    private static func decimal(_ bytes: Substring.UTF8View) -> String? {
        var rest = bytes[...]
        func digits() -> String {
            var count = 0
            for byte in rest {
                guard byte &- 0x30 < 10 else { break }
                count += 1
            }
            defer { rest = rest.dropFirst(count) }
            return String(Substring(rest.prefix(count)))
        }
        let whole = digits()
        var literal = whole
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            let fraction = digits()
            guard !whole.isEmpty || !fraction.isEmpty else { return nil }
            literal = (whole.isEmpty ? "0" : whole) + "." + (fraction.isEmpty ? "0" : fraction)
        } else if whole.isEmpty {
            return nil
        }
        if let letter = rest.first, letter | 0x20 == UInt8(ascii: "e") {
            rest = rest.dropFirst()
            literal += "e"
            if let sign = rest.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
                rest = rest.dropFirst()
                literal += sign == UInt8(ascii: "-") ? "-" : "+"
            }
            let exponent = digits()
            guard !exponent.isEmpty else { return nil }
            literal += exponent
        }
        return rest.isEmpty ? literal : nil
    }

    /// Octal or hexadecimal digits; beyond 64 bits the nearest double.
    private static func integer(_ digits: Substring, bitsPerDigit bits: Int) -> Node.Value? {
        guard !digits.isEmpty, digits.utf8.allSatisfy({ isDigit($0, radix: 1 << bits) })
        else { return nil }
        if let integer = Int64(digits, radix: 1 << bits) { return .integer(integer) }
        let binary = digits.utf8.map { byte -> String in
            let digit = Int(String(UnicodeScalar(byte)), radix: 16) ?? 0
            let text = String(digit, radix: 2)
            return String(repeating: "0", count: bits - text.count) + text
        }.joined()
        let padded = String(repeating: "0", count: (4 - binary.count % 4) % 4) + binary
        var hexadecimal = "0x"
        var rest = padded[...]
        while !rest.isEmpty {
            hexadecimal += String(Int(rest.prefix(4), radix: 2) ?? 0, radix: 16)
            rest = rest.dropFirst(4)
        }
        return Double(hexadecimal).map { .double($0) }
    }

    private static func isDigit(_ byte: UInt8, radix: Int) -> Bool {
        switch byte {
        case 0x30...0x37: true
        case 0x38...0x39, 0x41...0x46, 0x61...0x66: radix == 16
        default: false
        }
    }
}
