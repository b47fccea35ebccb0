/// Patterns of `glob`, by trying everything.
enum OracleGlob {
    private typealias Scalars = ArraySlice<Unicode.Scalar>

    /// Whether the pattern covers the whole text.
    static func matches(_ pattern: [UInt8], _ text: [UInt8]) -> Bool {
        covers(scalars(pattern), scalars(text))
    }

    private static func scalars(_ bytes: [UInt8]) -> Scalars {
        Array(String(decoding: bytes, as: UTF8.self).unicodeScalars)[...]
    }

    private static func covers(_ pattern: Scalars, _ text: Scalars) -> Bool {
        guard let first = pattern.first else { return text.isEmpty }
        let rest = pattern.dropFirst()
        if first == "*" {
            let crosses = rest.first == "*"
            let behind = crosses ? rest.dropFirst() : rest
            for length in 0...text.count {
                if !crosses, text.prefix(length).contains("/") { return false }
                if covers(behind, text.dropFirst(length)) { return true }
            }
            return false
        }
        guard let head = text.first else { return false }
        let tail = text.dropFirst()
        switch first {
        case "?":
            return head != "/" && covers(rest, tail)
        case "[":
            // The first member may be a `]`.
            var members = rest
            let isNegative = members.first == "!"
            if isNegative { members = members.dropFirst() }
            guard let end = members.dropFirst().firstIndex(of: "]") else { return false }
            let isMember = contains(Array(members[members.startIndex..<end]), head)
            return head != "/" && isMember != isNegative && covers(members[(end + 1)...], tail)
        default:
            return head == first && covers(rest, tail)
        }
    }

    private static func contains(_ members: [Unicode.Scalar], _ scalar: Unicode.Scalar) -> Bool {
        var index = 0
        while index < members.count {
            if index + 2 < members.count, members[index + 1] == "-" {
                if members[index] <= scalar, scalar <= members[index + 2] { return true }
                index += 3
            } else {
                if members[index] == scalar { return true }
                index += 1
            }
        }
        return false
    }
}
