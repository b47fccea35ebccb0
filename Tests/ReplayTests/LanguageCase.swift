import Foundation

/// A line of Tests/Golden/language-cases.jsonl.
struct LanguageCase {
    /// What is read as JSON; numbers of events are not, since their very text counts.
    struct Fields: Decodable {
        var name: String
        var why: String
        var cohorts: String
        var at: [String]
        var expected: [String: [String]]
        var args: [String]?
        var uploads: [String: [String]]?
        var unordered: Bool?
        var exit: Int32?
        var expectedDeltas: [DeltaLine]?

        private enum CodingKeys: String, CodingKey {
            case name, why, cohorts, at, expected, args, uploads, unordered, exit
            case expectedDeltas = "expected_deltas"
        }
    }

    let fields: Fields
    /// The events as they stand in the file.
    let events: [String]
    /// The configuration as it stands in the file; JSON is YAML.
    let config: String?

    init(line: String) throws {
        fields = try JSONDecoder().decode(Fields.self, from: Data(line.utf8))
        let members = RawJSON.members(of: line)
        events = members["events"].map { RawJSON.elements(of: $0) } ?? []
        config = members["config"]
    }
}

/// A line of `--deltas`.
struct DeltaLine: Decodable, Equatable {
    var tick: String
    var cohort: String
    var user: String
    var op: String

    static func == (left: DeltaLine, right: DeltaLine) -> Bool {
        // By bytes: `==` of String takes canonically equal ids for the same.
        zip(left.parts, right.parts).allSatisfy { $0.utf8.elementsEqual($1.utf8) }
    }

    private var parts: [String] { [tick, cohort, user, op] }
}

/// A line of `--members`.
struct MembersLine: Decodable {
    var cohort: String
    var count: Int
    var users: [String]

    /// Reads a `--members` output.
    static func read(_ text: String) throws -> [MembersLine] {
        try text.split(separator: "\n").map {
            try JSONDecoder().decode(MembersLine.self, from: Data($0.utf8))
        }
    }
}

/// Cuts valid JSON into its parts without reading them, so that they keep their text.
enum RawJSON {
    /// The values of an object by name; names must have no escapes.
    static func members(of object: String) -> [String: String] {
        var members: [String: String] = [:]
        for part in parts(of: object) {
            guard let colon = part.utf8.firstIndex(of: UInt8(ascii: ":")) else { continue }
            let name = part[..<colon].trimmingCharacters(in: .whitespaces).dropFirst().dropLast()
            members[String(name)] = part[part.index(after: colon)...].trimmingCharacters(
                in: .whitespaces
            )
        }
        return members
    }

    /// The elements of an array.
    static func elements(of array: String) -> [String] {
        parts(of: array).map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
    }

    /// What stands between the outermost brackets, cut at the outermost commas.
    private static func parts(of text: String) -> [String] {
        var parts: [[UInt8]] = [[]]
        var depth = 0
        var isInString = false
        var isEscaped = false
        for byte in text.utf8 {
            if isInString {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isInString = false
                }
            } else {
                switch byte {
                case UInt8(ascii: "\""): isInString = true
                case UInt8(ascii: "{"), UInt8(ascii: "["):
                    depth += 1
                    if depth == 1 { continue }
                case UInt8(ascii: "}"), UInt8(ascii: "]"):
                    depth -= 1
                    if depth == 0 { continue }
                case UInt8(ascii: ",") where depth == 1:
                    parts.append([])
                    continue
                default: break
                }
            }
            if depth > 0 { parts[parts.count - 1].append(byte) }
        }
        return parts.map { String(decoding: $0, as: UTF8.self) }
    }
}
