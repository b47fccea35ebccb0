import Basics
import LogStore

/// What was made through the API: the newest record of every key of the control topic.
///
/// Its file in the data directory has a line for each, `KEY VALUE`. Byte table: docs/formats.md, "Control topic".
package struct ControlObjects: Equatable, Sendable {
    /// A record of the control topic; a nil value is a tombstone.
    struct Record: Equatable, Sendable {
        var key: String
        var value: [UInt8]?
    }

    private static let cohortPrefix = "cohort/"
    private static let acceptedPrefix = "accept/"
    private static let acceptedValue = Array(#"{"from":"now"}"#.utf8)

    /// Definitions as JSON, by the cohort's id.
    package private(set) var cohorts: [String: [UInt8]] = [:]
    /// Cohorts that may begin without history that is gone.
    package private(set) var accepted: Set<String> = []

    /// Nothing.
    package init() {}

    /// Reads the file of the data directory; a line that says nothing is left out.
    package init(file bytes: [UInt8]) {
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            guard let space = line.firstIndex(of: UInt8(ascii: " ")) else { continue }
            take(
                String(decoding: line[..<space], as: UTF8.self),
                Array(line[line.index(after: space)...])
            )
        }
    }

    /// The file of the data directory.
    var file: [UInt8] {
        records.flatMap { record -> [UInt8] in
            let value = (record.value ?? []).map {
                // Between the parts of a JSON document one space is as good as another.
                $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") ? UInt8(ascii: " ") : $0
            }
            return Array(record.key.utf8) + [UInt8(ascii: " ")] + value + [UInt8(ascii: "\n")]
        }
    }

    /// All of it as records, by key.
    var records: [Record] {
        cohorts.sorted { $0.key.precedesByBytes($1.key) }
            .map { Record(key: Self.cohortPrefix + $0.key, value: $0.value) }
            + accepted.sorted { $0.precedesByBytes($1) }
            .map { Record(key: Self.acceptedPrefix + $0, value: Self.acceptedValue) }
    }

    /// The records that make this of `old`.
    func records(from old: ControlObjects) -> [Record] {
        let known = Dictionary(uniqueKeysWithValues: old.records.map { ($0.key, $0.value) })
        let keys = Set(records.map(\.key))
        return records.filter { known[$0.key] != .some($0.value) }
            + old.records.filter { !keys.contains($0.key) }.map { Record(key: $0.key, value: nil) }
    }

    /// Takes a record of the topic; one whose key is none of ours says nothing.
    mutating func take(_ key: String, _ value: [UInt8]?) {
        if key.hasPrefix(Self.cohortPrefix) {
            cohorts[String(key.dropFirst(Self.cohortPrefix.count))] = value
        } else if key.hasPrefix(Self.acceptedPrefix) {
            let id = String(key.dropFirst(Self.acceptedPrefix.count))
            if value == nil { accepted.remove(id) } else { accepted.insert(id) }
        }
    }

    /// Makes a cohort, or another one of it.
    mutating func define(_ id: String, _ json: [UInt8]) { cohorts[id] = json }

    /// Deletes a cohort and what was accepted of it.
    mutating func delete(_ id: String) {
        cohorts[id] = nil
        accepted.remove(id)
    }

    /// Lets a cohort begin without history that is gone.
    mutating func accept(_ id: String) { accepted.insert(id) }

    /// What was accepted has been made use of.
    mutating func forget(accepted ids: Set<String>) { accepted.subtract(ids) }
}
