import Foundation
import Testing

// Syncs as people see and steer them.

extension DaemonUnderTest {
    /// A cohort of whoever viewed and did not leave.
    static let guests = (
        id: "guests",
        users: "{all: [{performed: {event: view, last: 1h}}, "
            + "{not: {performed: {event: leave, last: 1h}}}]}"
    )

    /// The form of `/v1/syncs/{id}`.
    struct Sync: Decodable {
        struct Run: Decodable {
            var tick: String
            var result: String
            var users: Int
            var delivered: Int
        }
        struct Counts: Decodable {
            var delivered: Int
            var accepted: Int
            var unknown: Int
        }
        var state: String
        var reason: String?
        var pending: Int
        var acknowledged: Int
        var skipped: Int
        var since_start: Counts
        var exits_to_approve: Int?
        var last_run: Run?
    }

    /// A sync as the API shows it; nil while nobody listens.
    func sync(_ id: String) throws -> Sync? {
        try get("/v1/syncs/\(id)").map {
            #expect($0.status == 200)
            return try JSONDecoder().decode(Sync.self, from: Data($0.body))
        }
    }

    /// Runs `cohortctl` against this daemon to its end.
    func ask(
        _ words: String...,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> (ending: Program.Ending, output: String, errors: String) {
        try await ask(words, sourceLocation: sourceLocation)
    }

    func ask(
        _ words: [String],
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> (ending: Program.Ending, output: String, errors: String) {
        let program = try Program(
            "cohortctl",
            words + ["--address", "http://127.0.0.1:\(port)"],
            folder: path
        )
        let ending = try await program.end(within: 60, sourceLocation: sourceLocation)
        return (ending, program.output, program.errors)
    }

    /// Waits until so many ticks more are done.
    func ticks(
        _ count: Int,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let tick = (try status()?.tickMilliseconds ?? 0) + Int64(count) * 1000
        try await eventually("\(count) ticks", sourceLocation: sourceLocation) {
            (try status()?.tickMilliseconds ?? 0) >= tick
        }
    }
}
