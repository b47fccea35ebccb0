import Foundation
import Testing

/// Waits, without blocking a thread, until the condition holds; records a failure after the limit.
///
/// Real clients and brokers have no clock that could be handed in, so the limit is generous and only a
/// failing test ever waits that long.
func eventually(
    _ what: String,
    within seconds: Double = 30,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ condition: () throws -> Bool
) async throws {
    let end = ProcessInfo.processInfo.systemUptime + seconds
    while try !condition() {
        if ProcessInfo.processInfo.systemUptime > end {
            Issue.record("not within \(seconds) s: \(what)", sourceLocation: sourceLocation)
            throw NotInTime(what: what)
        }
        try await Task.sleep(nanoseconds: 5_000_000)
    }
}

struct NotInTime: Error {
    let what: String
}
