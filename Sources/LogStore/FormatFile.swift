import Basics

/// The text of `FORMAT`: which version and features a data directory has, and its id.
struct FormatFile: Equatable {
    static let name = "FORMAT"
    /// Features of later versions that this one would understand; none so far.
    static let known: Set<String> = []

    var store: StoreID
    var compatible: [String] = []
    var readOnlyCompatible: [String] = []
    var incompatible: [String] = []

    /// Why a text is not the `FORMAT` of a directory that can be used.
    enum Problem: Error, Equatable {
        case unreadable(String)
        case unsupported(String)
    }

    var text: String {
        let body = """
            cohortd-store 1.0
            store \(store)
            \((["compat"] + compatible).joined(separator: " "))
            \((["ro_compat"] + readOnlyCompatible).joined(separator: " "))
            \((["incompat"] + incompatible).joined(separator: " "))

            """
        return body + "checksum \(Self.checksum(body))\n"
    }

    static func parse(_ bytes: [UInt8]) throws(Problem) -> FormatFile {
        guard let text = String(validating: bytes, as: UTF8.self), text.hasSuffix("\n") else {
            throw .unreadable("it is not whole")
        }
        let lines = text.dropLast().split(separator: "\n", omittingEmptySubsequences: false)
        guard let last = lines.last, last.hasPrefix("checksum ") else {
            throw .unreadable("it has no checksum")
        }
        let body = String(text.dropLast(last.count + 1))
        guard last.dropFirst("checksum ".count) == checksum(body) else {
            throw .unreadable("its checksum is wrong")
        }
        let version = (lines.first ?? "").split(separator: " ")
        guard version.count == 2, version[0] == "cohortd-store" else {
            throw .unreadable("it does not begin with cohortd-store")
        }
        guard version[1] == "1" || version[1].hasPrefix("1.") else {
            throw .unsupported("store version \(version[1]), this program knows 1")
        }
        guard lines.count >= 6, lines[1].hasPrefix("store "),
            let store = StoreID(lines[1].dropFirst("store ".count))
        else { throw .unreadable("it names no store") }
        let format = FormatFile(
            store: store,
            compatible: try features(lines[2], "compat"),
            readOnlyCompatible: try features(lines[3], "ro_compat"),
            incompatible: try features(lines[4], "incompat")
        )
        for feature in format.incompatible + format.readOnlyCompatible
        where !known.contains(feature) {
            throw .unsupported("the feature \(feature)")
        }
        return format
    }

    private static func features(_ line: Substring, _ key: String) throws(Problem) -> [String] {
        let words = line.split(separator: " ").map(String.init)
        guard words.first == key else { throw .unreadable("the line \(key) is missing") }
        return Array(words.dropFirst())
    }

    private static func checksum(_ body: String) -> String {
        Hexadecimal.text(UInt64(body.withByteView { CRC32C.checksum($0) }), digits: 8)
    }
}
