@testable import Events

/// A second, slow reading of JSON, written from RFC 8259 alone, to compare the decoder with.
struct ReferenceJSON {
    private let bytes: [UInt8]
    private var position = 0
    private var isDeep = false
    private var hasDuplicate = false

    private struct Malformed: Error {}

    /// Why the bytes are refused as a record, nil = they are not; and the value as ``render(_:)`` shows it.
    static func read(_ bytes: [UInt8]) -> (reason: RejectReason?, rendered: String) {
        guard String(validating: bytes, as: UTF8.self) != nil else { return (.notUTF8, "") }
        var reader = ReferenceJSON(bytes: bytes)
        do {
            reader.skipSpace()
            let rendered = try reader.value(level: 1)
            reader.skipSpace()
            guard reader.position == bytes.count else { return (.notJSON, "") }
            if reader.isDeep { return (.tooDeep, "") }
            return (reader.hasDuplicate ? .duplicateKey : nil, rendered)
        } catch {
            return (.notJSON, "")
        }
    }

    private init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    private var next: UInt8 { position < bytes.count ? bytes[position] : 0 }

    private mutating func skipSpace() {
        while position < bytes.count, [0x20, 0x09, 0x0a, 0x0d].contains(bytes[position]) {
            position += 1
        }
    }

    private mutating func take(_ text: String) throws {
        for byte in text.utf8 {
            guard position < bytes.count, bytes[position] == byte else { throw Malformed() }
            position += 1
        }
    }

    private mutating func value(level: Int) throws -> String {
        guard position < bytes.count else { throw Malformed() }
        switch next {
        case UInt8(ascii: "{"): return try object(level: level)
        case UInt8(ascii: "["): return try array(level: level)
        case UInt8(ascii: "\""): return "\"\(try text())\""
        case UInt8(ascii: "t"): try take("true"); return "true"
        case UInt8(ascii: "f"): try take("false"); return "false"
        case UInt8(ascii: "n"): try take("null"); return "null"
        default: return try number()
        }
    }

    private mutating func object(level: Int) throws -> String {
        if level > 64 { isDeep = true }
        try take("{")
        var names: Set<[UInt8]> = []
        var members: [String] = []
        skipSpace()
        if next == UInt8(ascii: "}") { position += 1; return "{}" }
        while true {
            skipSpace()
            let name = try text()
            if !names.insert(Array(name.utf8)).inserted { hasDuplicate = true }
            skipSpace()
            try take(":")
            skipSpace()
            members.append("\(name):\(try value(level: level + 1))")
            skipSpace()
            if next == UInt8(ascii: "}") {
                position += 1; return "{" + members.joined(separator: ",") + "}"
            }
            try take(",")
        }
    }

    private mutating func array(level: Int) throws -> String {
        if level > 64 { isDeep = true }
        try take("[")
        var elements: [String] = []
        skipSpace()
        if next == UInt8(ascii: "]") { position += 1; return "[]" }
        while true {
            skipSpace()
            elements.append(try value(level: level + 1))
            skipSpace()
            if next == UInt8(ascii: "]") {
                position += 1; return "[" + elements.joined(separator: ",") + "]"
            }
            try take(",")
        }
    }

    private mutating func number() throws -> String {
        let start = position
        var isInteger = true
        if next == UInt8(ascii: "-") { position += 1 }
        if next == UInt8(ascii: "0") { position += 1 } else { try digits() }
        if next == UInt8(ascii: ".") {
            isInteger = false
            position += 1
            try digits()
        }
        if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
            isInteger = false
            position += 1
            if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { position += 1 }
            try digits()
        }
        let literal = String(decoding: bytes[start..<position], as: UTF8.self)
        if isInteger, let integer = Int64(literal) { return "\(integer)" }
        guard let double = Double(literal), double.isFinite else { throw Malformed() }
        return "\(double == 0 ? 0 : double)"
    }

    private mutating func digits() throws {
        let start = position
        while next >= UInt8(ascii: "0"), next <= UInt8(ascii: "9") { position += 1 }
        guard position > start else { throw Malformed() }
    }

    private mutating func text() throws -> String {
        try take("\"")
        var units: [UInt16] = []
        while true {
            guard position < bytes.count, next >= 0x20 else { throw Malformed() }
            if next == UInt8(ascii: "\"") { position += 1; break }
            if next != UInt8(ascii: "\\") {
                let start = position
                position += 1
                while position < bytes.count, bytes[position] & 0xc0 == 0x80 { position += 1 }
                units.append(
                    contentsOf: String(decoding: bytes[start..<position], as: UTF8.self).utf16
                )
                continue
            }
            position += 1
            let escape = next
            position += 1
            if escape == UInt8(ascii: "u") {
                units.append(try hex())
                continue
            }
            let plain: [UInt8: UInt16] = [
                0x22: 0x22, 0x5c: 0x5c, 0x2f: 0x2f, 0x62: 8, 0x66: 12, 0x6e: 10, 0x72: 13, 0x74: 9,
            ]
            guard let unit = plain[escape] else { throw Malformed() }
            units.append(unit)
        }
        guard let text = String(validating: units, as: UTF16.self) else { throw Malformed() }
        return text
    }

    private mutating func hex() throws -> UInt16 {
        var value: UInt16 = 0
        for _ in 0..<4 {
            guard position < bytes.count, let digit = Character(Unicode.Scalar(next)).hexDigitValue,
                next < 0x80
            else { throw Malformed() }
            value = value << 4 | UInt16(digit)
            position += 1
        }
        return value
    }
}
