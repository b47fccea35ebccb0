import Synchronization
import Threads

/// When a thread last made progress, and at what.
///
/// The thread says so at every step of its work; whoever watches reads it at any time.
final class Heartbeat: Sendable {
    /// What the thread went on to.
    enum Activity: Int64 {
        /// A step that is over in a moment: it polls, applies a batch, looks at mail.
        case step
        /// Something that takes as long as there is state: it restores, snapshots, waits for the disk.
        case long
        /// It waits for another thread, which has a heartbeat of its own, or is gone.
        case waiting
    }

    /// How long something that is ``Activity/long`` may take, in milliseconds.
    ///
    /// A snapshot of many gigabytes on a slow disk must not be taken for a hang: the service would be killed at
    /// each of them.
    static let longMilliseconds: Int64 = 600_000

    private let clock = SystemClock()
    // Milliseconds of the clock that never jumps, times 4, and the activity: one word, so that nobody reads a
    // time with the activity of another.
    private let word: Atomic<Int64>

    init() {
        // Until it starts, a thread is expected to do nothing.
        word = Atomic(Self.word(0, .waiting))
    }

    /// Notes progress, and what the thread does next.
    func beat(_ next: Activity = .step) {
        note(next, at: clock.monotonicMilliseconds)
    }

    /// Notes progress at an instant.
    func note(_ next: Activity, at now: Int64) {
        word.store(Self.word(now, next), ordering: .relaxed)
    }

    /// How long the thread has been silent beyond what its activity allows, in milliseconds; 0 = it has not.
    ///
    /// - Parameters:
    ///   - now: By the clock that never jumps.
    ///   - patience: How long a step may take.
    /// - Returns: Since its last beat; 0 where that is not too long.
    func overdue(now: Int64, patience: Int64) -> Int64 {
        let word = word.load(ordering: .relaxed)
        let silent = now - word >> 2
        switch Activity(rawValue: word & 3) {
        case .step: return silent > patience ? silent : 0
        case .long: return silent > max(patience, Self.longMilliseconds) ? silent : 0
        case .waiting, nil: return 0
        }
    }

    private static func word(_ milliseconds: Int64, _ activity: Activity) -> Int64 {
        milliseconds << 2 | activity.rawValue
    }
}
