import Foundation
import Synchronization
import Testing

/// A value behind a lock, for statics and for what threads of C libraries call back into.
final class Locked<Value: ~Copyable>: Sendable {
    private let value: Mutex<Value>

    init(_ value: consuming sending Value) {
        self.value = Mutex(value)
    }

    func withLock<Result>(_ body: (inout Value) -> sending Result) -> sending Result {
        value.withLock { body(&$0) }
    }
}

/// What did not happen in time.
struct NotInTime: Error {
    let what: String
}

/// Waits, without blocking a thread, until the condition holds; records an issue after the limit.
///
/// A real program has no clock that could be handed in, so the limits are generous and only a test that fails
/// ever waits that long.
func eventually(
    _ what: @autoclosure () -> String,
    within seconds: Double = 60,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ condition: () throws -> Bool
) async throws {
    let end = ProcessInfo.processInfo.systemUptime + seconds
    while try !condition() {
        if ProcessInfo.processInfo.systemUptime > end {
            let what = what()
            Issue.record("not within \(seconds) s: \(what)", sourceLocation: sourceLocation)
            throw NotInTime(what: what)
        }
        try await Task.sleep(for: .milliseconds(20))
    }
}

/// Now, in milliseconds since 1970.
func wallClock() -> Int64 {
    Int64(Date().timeIntervalSince1970 * 1000)
}

/// Waits until an instant of the wall clock, where that instant is the subject of the test.
func sleep(until milliseconds: Int64) async throws {
    let wait = milliseconds - wallClock()
    if wait > 0 { try await Task.sleep(for: .milliseconds(wait)) }
}
