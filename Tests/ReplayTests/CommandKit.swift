import Foundation
import TestKit
import Testing

/// A folder with definitions and events, and cohortctl run in it.
struct CommandKit {
    let folder: TemporaryFolder

    /// Definitions that most tests use: `c` = did x in the last 5 minutes.
    static let cohort = "id: c\nusers: {performed: {event: x, last: 5m}}\n"

    /// A folder with the files cohorts.yaml and events.jsonl.
    init(cohorts: String = Self.cohort, events: [String] = []) throws {
        folder = try TemporaryFolder()
        try folder.write("cohorts.yaml", cohorts)
        try folder.write("events.jsonl", events.map { $0 + "\n" }.joined())
    }

    /// An event x.
    static func x(_ user: String, _ time: String) -> String {
        #"{"user_id":"\#(user)","event_type":"x","time":"\#(time)"}"#
    }

    func run(_ arguments: [String], input: String = "") throws -> ProgramRun {
        try ProgramRun("cohortctl", arguments, in: folder.url, input: Data(input.utf8))
    }

    /// `cohortctl replay` of the two files.
    func replay(_ arguments: [String] = []) throws -> ProgramRun {
        try run(["replay", "--cohorts", "cohorts.yaml", "--events", "events.jsonl"] + arguments)
    }

    /// Who is in at the end, by cohort.
    func members(_ arguments: [String] = []) throws -> [String: [String]] {
        let run = try replay(arguments)
        try #require(run.status == 0, "\(run.errors)")
        let lines = try MembersLine.read(run.outputText)
        return Dictionary(uniqueKeysWithValues: lines.map { ($0.cohort, $0.users) })
    }

    /// `tick cohort user op` of every delta.
    func deltas(_ arguments: [String]) throws -> [String] {
        let run = try replay(["--deltas", "-"] + arguments)
        try #require(run.status == 0, "\(run.errors)")
        return try run.outputText.split(separator: "\n").map {
            let delta = try JSONDecoder().decode(DeltaLine.self, from: Data($0.utf8))
            return "\(delta.tick) \(delta.cohort) \(delta.user) \(delta.op)"
        }
    }
}
