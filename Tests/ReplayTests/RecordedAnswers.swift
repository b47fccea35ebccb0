import Foundation
import TestKit
import Testing

/// Instants and members of a file of expected answers.
struct RecordedAnswers {
    private struct Description: Decodable {
        var as_of: AsOf
        struct AsOf: Decodable {
            var end: Int64
            var mid: Int64
        }
    }

    private struct Both: Decodable {
        var end: [String]
        var mid: [String]
    }

    let mid: Int64
    let end: Int64
    private let members: [String: Both]

    init(_ name: String, in folder: URL) throws {
        let text = try Data(contentsOf: folder.appendingPathComponent("oracle-\(name).json"))
        let description = try JSONDecoder().decode(Description.self, from: text)
        mid = description.as_of.mid
        end = description.as_of.end
        let zipped = folder.appendingPathComponent("oracle-\(name)-members.json.gz")
        members = try JSONDecoder().decode([String: Both].self, from: Golden.unzipped(zipped))
    }

    func atMid(_ cohort: String) throws -> [[UInt8]] {
        try Self.sorted(#require(members[cohort]).mid)
    }
    func atEnd(_ cohort: String) throws -> [[UInt8]] {
        try Self.sorted(#require(members[cohort]).end)
    }

    private static func sorted(_ ids: [String]) -> [[UInt8]] {
        ids.map { Array($0.utf8) }.sorted { $0.lexicographicallyPrecedes($1) }
    }
}

/// What a tick changed in a cohort.
struct MembershipChange {
    var entered: [[UInt8]] = []
    var exited: [[UInt8]] = []
}

/// The content of oracle-wiki-ticks.json.
struct TickAnswers: Decodable {
    struct Cohort: Decodable {
        var rows: [Row]
    }

    /// A list: the tick, members, entered, exited, hash of members, of entered, of exited.
    struct Row: Decodable {
        var tick: Int64
        private var counts: [Int] = []
        private var hashes: [String] = []

        init(from decoder: any Decoder) throws {
            var values = try decoder.unkeyedContainer()
            tick = try values.decode(Int64.self)
            for _ in 0..<3 { counts.append(try values.decode(Int.self)) }
            for _ in 0..<3 { hashes.append(try values.decode(String.self)) }
        }

        /// What differs from this row; nil where nothing does.
        ///
        /// Members that are nil are not hashed.
        func fault(members: [[UInt8]]?, count: Int, _ change: MembershipChange) -> String? {
            let found = [count, change.entered.count, change.exited.count]
            if found != counts { return "members, entered, exited \(found), expected \(counts)" }
            for (index, users) in [members, change.entered, change.exited].enumerated() {
                guard let users else { continue }
                let sorted = users.sorted { $0.lexicographicallyPrecedes($1) }
                let hash = SHA256.hexDigits(Array(sorted.joined(separator: [0x0a]))).prefix(16)
                if hash != hashes[index] {
                    return "other \(["members", "enters", "exits"][index]) than expected, as many"
                }
            }
            return nil
        }
    }

    var cohorts: [String: Cohort]
}
