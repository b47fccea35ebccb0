import Basics
import Synchronization

/// When each marked user's event was published, and how long after it the webhook told of the user.
final class PublishTimes: Sendable {
    private struct State {
        /// By the user's number, in monotonic milliseconds.
        var published: [Int64]
        var count = 0
        var latencies: [Double] = []
        var isSeen: [Bool]
    }

    private static let mark = Array("\"user_id\":\"marked-".utf8)

    private let state: Mutex<State>

    init(capacity: Int) {
        state = Mutex(
            State(
                published: Array(repeating: 0, count: capacity),
                isSeen: Array(repeating: false, count: capacity)
            )
        )
    }

    /// Milliseconds from the event to the webhook, by user.
    var latencies: [Double] { state.withLock { $0.latencies } }
    /// Who was published and not received, by number.
    var missing: [Int] {
        state.withLock { state in (0..<state.count).filter { !state.isSeen[$0] } }
    }
    /// Whether everybody who was published was received.
    var isComplete: Bool { state.withLock { $0.latencies.count == $0.count } }

    /// Notes the next user's event and gives the user's number; nil beyond the capacity.
    func publish(at now: Int64) -> Int? {
        state.withLock { state in
            guard state.count < state.published.count else { return nil }
            state.published[state.count] = now
            state.count += 1
            return state.count - 1
        }
    }

    /// Notes the users of a webhook's body.
    func received(_ body: [UInt8], at now: Int64) {
        var numbers: [Int] = []
        var position = 0
        while position + Self.mark.count < body.count {
            guard body[position] == Self.mark[0],
                body[position..<position + Self.mark.count].elementsEqual(Self.mark)
            else {
                position += 1
                continue
            }
            position += Self.mark.count
            var number = 0
            while position < body.count, case let digit = Int(body[position]) - 48,
                (0...9).contains(digit)
            {
                number = number * 10 + digit
                position += 1
            }
            numbers.append(number)
        }
        state.withLock { state in
            for number in numbers where state.isSeen.indices.contains(number) {
                if state.isSeen[number] { continue }
                state.isSeen[number] = true
                state.latencies.append(Double(now - state.published[number]))
            }
        }
    }
}
