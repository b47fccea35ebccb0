import Foundation
import Testing

/// A recorded day of Wikipedia's edits, and who is in which cohort at its end by an oracle of its own.
struct Wiki {
    /// One event; between the two pieces of its JSON stands its time.
    struct Event {
        var user: String
        var time: Int64
        var head: String
        var tail: String

        /// The JSON, moved in time.
        func json(movedBy milliseconds: Int64) -> [UInt8] {
            Array("\(head)\(time + milliseconds)\(tail)".utf8)
        }
    }

    var events: [Event]
    /// The instant of the oracle's answers.
    var end: Int64
    /// Members at the end, by cohort.
    var members: [String: Set<String>]

    private static let folder = "\(Broker.repository)/Tests/Golden/wiki"
    private static let eventsName = "wiki-edits-2015-09-12.jsonl.gz"

    /// Reads the files.
    static func read(scratch: String) async throws -> Wiki {
        let lines = String(
            decoding: try await unpacked("\(folder)/\(eventsName)", scratch: scratch),
            as: UTF8.self
        )
        var events: [Event] = []
        for line in lines.split(separator: "\n") { events.append(try event(String(line))) }
        struct Oracle: Decodable {
            var as_of: AsOf
            struct AsOf: Decodable { var end: Int64 }
        }
        let oracle = try JSONDecoder().decode(
            Oracle.self,
            from: Data(contentsOf: URL(fileURLWithPath: "\(folder)/oracle-wiki.json"))
        )
        let members = try JSONDecoder().decode(
            [String: [String: [String]]].self,
            from: Data(
                try await unpacked("\(folder)/oracle-wiki-members.json.gz", scratch: scratch)
            )
        )
        return Wiki(
            events: events,
            end: oracle.as_of.end,
            members: members.compactMapValues { $0["end"].map { Set($0) } }
        )
    }

    private static func event(_ line: String) throws -> Event {
        let time = try #require(line.range(of: #""time":"#))
        let rest = line[time.upperBound...]
        let digits = rest.prefix { $0.isNumber }
        struct Key: Decodable { var user_id: String }
        let name = try #require(line.range(of: #","event_type""#))
        // Ids have escapes, so that they are read as JSON.
        let key = try JSONDecoder().decode(
            Key.self,
            from: Data((line[..<name.lowerBound] + "}").utf8)
        )
        return Event(
            user: key.user_id,
            time: try #require(Int64(digits)),
            head: String(line[..<time.upperBound]),
            tail: String(rest[digits.endIndex...])
        )
    }

    private static func unpacked(_ path: String, scratch: String) async throws -> [UInt8] {
        let program = try Program("/bin/gzip", ["-dc", path], folder: scratch)
        try #require(try await program.end(within: 60) == .exited(0), "\(program.errors)")
        return program.outputBytes
    }

    /// The cohorts of the oracle that the language can express, as `users`.
    static let cohorts: [(id: String, users: String)] = [
        ("edited_1h", "{performed: {event: Page Edited, last: 1h}}"),
        ("edited_5_in_6h", "{performed: {event: Page Edited, last: 6h, count: {gte: 5}}}"),
        (
            "created_not_edited_24h",
            "{all: [{performed: {event: Page Created, last: 24h}},"
                + " {not: {performed: {event: Page Edited, last: 24h}}}]}"
        ),
        (
            "en_main_human_3_in_12h",
            "{performed: {event: Page Edited, last: 12h, count: {gte: 3},"
                + " where: {channel: en.wikipedia, namespace: Main, is_robot: false}}}"
        ),
        ("inactive_6h", "{inactive: {last: 6h}}"),
        (
            "anon_us_gb_12h",
            #"{performed: {event: "*", last: 12h, where_user: {is_anonymous: true, country: {is: [US, GB]}}}}"#
        ),
        (
            "big_removal_human_3h",
            #"{performed: {event: "*", last: 3h, where: {delta: {lte: -300}, is_robot: false}}}"#
        ),
        ("exactly_one_event_24h", #"{performed: {event: "*", last: 24h, count: {is: 1}}}"#),
        ("new_in_1h", "{new: {last: 1h}}"),
        (
            "heavy_or_creator",
            "{any: [{performed: {event: Page Edited, last: 24h, count: {gte: 20}, where: {is_robot: false}}},"
                + " {performed: {event: Page Created, last: 24h, count: {gte: 2}}}]}"
        ),
    ]
}
