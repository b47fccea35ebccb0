/// Path and query of a request line, decoded and checked.
///
/// Rules, so that no handler ever sees a path that means something else to somebody:
/// - the target begins with `/`; `http://host/…` and `*` are refused;
/// - every `%` is followed by two hexadecimal digits, and the result is UTF-8;
/// - a path segment is not `.` or `..`, not empty but as the last, and holds no slash, backslash or
///   control character, written plainly or as an escape;
/// - in the query `+` is a space, as forms and URL libraries write it; an escaped value may hold
///   anything.
package struct RequestTarget: Sendable {
    /// What is wrong with a target; `text` says it.
    package struct Problem: Error, Equatable {
        /// For the client.
        package let text: String
    }

    /// As it came.
    package let text: String
    /// The decoded segments.
    package let path: [String]
    /// The decoded query.
    package let query: [HTTPRequest.QueryItem]

    /// Decodes `text`.
    ///
    /// - Throws: What breaks the rules above.
    package init(_ text: String) throws(Problem) {
        self.text = text
        let bytes = Array(text.utf8)
        guard bytes.first == UInt8(ascii: "/") else {
            throw Problem(text: "the request's target must begin with \"/\"")
        }
        let end = bytes.firstIndex(of: UInt8(ascii: "?")) ?? bytes.count
        path = try Self.segments(bytes[1..<end])
        query = end < bytes.count ? try Self.items(bytes[(end + 1)...]) : []
    }

    private static func segments(_ bytes: ArraySlice<UInt8>) throws(Problem) -> [String] {
        if bytes.isEmpty { return [] }
        let parts = bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        var segments: [String] = []
        segments.reserveCapacity(parts.count)
        for (index, part) in parts.enumerated() {
            if part.isEmpty, index + 1 < parts.count {
                throw Problem(text: "the path has an empty segment (\"//\")")
            }
            let decoded = try decode(part, plusIsSpace: false)
            for byte in decoded {
                if byte < 0x20 || byte == 0x7f || byte == UInt8(ascii: "/")
                    || byte == UInt8(ascii: "\\")
                {
                    throw Problem(
                        text:
                            "the path has a slash, a backslash or a control character in a segment"
                    )
                }
            }
            let segment = try text(of: decoded)
            if segment == "." || segment == ".." {
                throw Problem(text: "the path has a segment \"\(segment)\"")
            }
            segments.append(segment)
        }
        return segments
    }

    private static func items(
        _ bytes: ArraySlice<UInt8>
    ) throws(Problem) -> [HTTPRequest.QueryItem] {
        var items: [HTTPRequest.QueryItem] = []
        for part in bytes.split(separator: UInt8(ascii: "&")) {
            let equals = part.firstIndex(of: UInt8(ascii: "=")) ?? part.endIndex
            let name = try text(of: decode(part[..<equals], plusIsSpace: true))
            let value = try text(of: decode(part[equals...].dropFirst(), plusIsSpace: true))
            items.append(HTTPRequest.QueryItem(name, value))
        }
        return items
    }

    private static func decode(
        _ bytes: ArraySlice<UInt8>,
        plusIsSpace: Bool
    ) throws(Problem) -> [UInt8] {
        var decoded: [UInt8] = []
        decoded.reserveCapacity(bytes.count)
        var index = bytes.startIndex
        while index < bytes.endIndex {
            let byte = bytes[index]
            if byte == UInt8(ascii: "%") {
                guard bytes.endIndex - index >= 3, let high = hexValue(bytes[index + 1]),
                    let low = hexValue(bytes[index + 2])
                else {
                    throw Problem(
                        text: "a \"%\" in the target is not followed by two hexadecimal digits"
                    )
                }
                decoded.append(high << 4 | low)
                index += 3
            } else {
                decoded.append(plusIsSpace && byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
                index += 1
            }
        }
        return decoded
    }

    private static func text(of bytes: [UInt8]) throws(Problem) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw Problem(text: "the target is not UTF-8")
        }
        return text
    }

    private static func hexValue(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
