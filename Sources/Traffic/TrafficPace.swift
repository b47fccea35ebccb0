/// How many events are owed by now at a steady rate.
package struct TrafficPace: Sendable {
    private let rate: Int
    private let began: Int64

    /// A pace of `rate` events a second from `began` on, milliseconds of a clock that never jumps.
    package init(rate: Int, began: Int64) {
        self.rate = rate
        self.began = began
    }

    /// All events owed since the beginning.
    package func owed(now: Int64) -> Int {
        let elapsed = Int(max(0, now - began))
        // Of whole seconds and the rest: the product of both as they are could be too large.
        return elapsed / 1000 * rate + elapsed % 1000 * rate / 1000
    }
}
