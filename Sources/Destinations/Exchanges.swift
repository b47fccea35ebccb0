import Delivery
import Synchronization
import Threads

/// Threads that wait for the outcome of a request of theirs.
final class Exchanges: Sendable {
    /// Tokens from here on are given out here.
    static let firstToken: UInt64 = 1 << 63

    private let content = Mutex(
        (nextToken: firstToken, waiting: [UInt64: Mailbox<HTTPOutcome>]())
    )

    /// A token, and where its outcome will be.
    func begin() -> (token: UInt64, outcome: Mailbox<HTTPOutcome>) {
        let outcome = Mailbox<HTTPOutcome>(capacity: 1)
        let token = content.withLock { content in
            defer { content.nextToken += 1 }
            content.waiting[content.nextToken] = outcome
            return content.nextToken
        }
        return (token, outcome)
    }

    /// Hands an outcome to who waits for it; false where nobody does.
    func end(_ token: UInt64, _ outcome: HTTPOutcome) -> Bool {
        if token < Self.firstToken { return false }
        let waiting = content.withLock { $0.waiting.removeValue(forKey: token) }
        return waiting?.post(outcome) ?? false
    }
}
