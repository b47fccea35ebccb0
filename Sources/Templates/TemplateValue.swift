import Basics

/// The value of a placeholder.
enum TemplateValue: Sendable, Equatable {
    case text(String)
    case integer(Int64)
    /// Sessions take all 64 bits.
    case unsigned(UInt64)
    case boolean(Bool)
    case instant(EventTime)
    case texts([String])

    /// As a part of a text: URLs, headers, mixed texts.
    var text: String {
        switch self {
        case .text(let text): text
        case .integer(let number): String(number)
        case .unsigned(let number): String(number)
        case .boolean(let flag): flag ? "true" : "false"
        case .instant(let time): time.rfc3339
        case .texts(let texts): texts.joined(separator: ",")
        }
    }

    /// As a JSON value of its own type.
    var json: String {
        var writer = JSONWriter()
        switch self {
        case .text(let text): writer.value(text)
        case .integer(let number): writer.value(number)
        case .unsigned(let number): writer.value(number)
        case .boolean(let flag): writer.value(flag)
        case .instant(let time): writer.value(time.rfc3339)
        case .texts(let texts):
            writer.beginArray()
            for text in texts { writer.value(text) }
            writer.endArray()
        }
        return writer.string
    }
}

/// Appends Unicode's compatibility decomposition (NFKD) of a text to some bytes.
///
/// Handed in by the shell: neither the language nor a library of ours has the tables. Asked only for texts
/// beyond ASCII, which is its own decomposition.
package typealias CompatibilityDecomposition =
    @Sendable (_ text: String, _ bytes: inout [UInt8]) -> Void

/// Lower-case hexadecimal digits.
enum Hexadecimal {
    static func append(_ source: UnsafeRawBufferPointer, to bytes: inout [UInt8]) {
        for byte in source {
            bytes.append(JSONWriter.hexDigit(byte >> 4))
            bytes.append(JSONWriter.hexDigit(byte & 15))
        }
    }

    /// Whether the bytes are `count` hexadecimal digits of either case.
    static func isDigits(_ bytes: [UInt8], count: Int) -> Bool {
        bytes.count == count
            && bytes.allSatisfy {
                switch $0 {
                case 0x30...0x39, 0x41...0x46, 0x61...0x66: true
                default: false
                }
            }
    }
}

/// Texts that partners take as names.
enum Slug {
    static let byteCountMax = 100

    /// Whether a byte is of `[A-Za-z0-9_]`.
    static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x5f: true
        default: false
        }
    }

    /// Decomposes, drops combining marks, and makes `-` of every run of other bytes.
    static func text(_ text: String, decompose: CompatibilityDecomposition) -> String {
        var bytes: [UInt8] = []
        if text.utf8.allSatisfy({ $0 < 0x80 }) {
            bytes = Array(text.utf8)
        } else {
            decompose(text, &bytes)
        }
        return String(decoding: slug(bytes), as: UTF8.self)
    }

    static func slug(_ bytes: [UInt8]) -> [UInt8] {
        var slug: [UInt8] = []
        for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
            if scalar.isASCII, isWord(UInt8(scalar.value)) {
                slug.append(UInt8(scalar.value))
            } else if scalar.properties.canonicalCombiningClass == .notReordered,
                slug.last != UInt8(ascii: "-")
            {
                slug.append(UInt8(ascii: "-"))
            }
            if slug.count == byteCountMax { break }
        }
        return slug
    }
}
