import Basics
import Synchronization

/// The fence of the daemon's clock: the control thread looks through it before each tick, and the API opens it where
/// a person says so.
final class TickGate: Sendable {
    private let fence: Mutex<ClockFence?>
    private let read: @Sendable () -> ClockReading

    /// A gate that is not open before it ``begin(stored:lastTick:)``s.
    init(read: @escaping @Sendable () -> ClockReading) {
        self.read = read
        fence = Mutex(nil)
    }

    /// The wall clock.
    var now: EventTime { read().now }

    /// Puts up the fence, once what was stored is known.
    func begin(stored: ClockReading?, lastTick: EventTime?) {
        fence.withLock { $0 = ClockFence(stored: stored, lastTick: lastTick, at: read()) }
    }

    /// Looks at the clocks.
    ///
    /// - Returns: What they say, why no tick may be made, and what is to be stored.
    func look(
        _ witness: ClockWitness
    ) -> (now: EventTime, hold: ClockFence.Hold?, reference: ClockReading?) {
        let reading = read()
        return fence.withLock {
            (
                reading.now, $0?.look(reading) { witness.agrees(with: $0) },
                $0?.reference
            )
        }
    }

    /// A tick was handed on.
    func ticked(_ tick: EventTime) {
        fence.withLock { $0?.ticked(tick) }
    }

    /// Lets time go on from what the clocks say; nil before the snapshots were read.
    func accept() -> (outcome: ClockFence.Acceptance, now: EventTime, lastTick: EventTime?)? {
        let reading = read()
        return fence.withLock { fence in
            guard let outcome = fence?.accept(reading) else { return nil }
            return (outcome, reading.now, fence?.lastTick)
        }
    }

    /// Why no tick is made, in words for whoever can do something about it; nil where ticks go on.
    var reason: String? {
        guard let hold = fence.withLock({ $0?.hold }) else { return nil }
        return Self.text(hold, now: now)
    }

    /// What is the matter with a clock, and what to do.
    static func text(_ hold: ClockFence.Hold, now: EventTime) -> String {
        switch hold {
        case .unset:
            "time is held: the clock says \(now.rfc3339), so it was never set; set it"
        case .behind(let lastTick):
            "time is held: the clock says \(now.rfc3339), which is before the last tick, \(lastTick.rfc3339);"
                + " ticks never go back: set the clock, or wait until it has passed that"
        case .ahead(let expected):
            "time is held: the clock says \(now.rfc3339), \(rough(now - expected)) ahead of what is expected;"
                + " if it is wrong, set it; if it is right, cohortctl time accept"
        }
    }

    /// A time in its two largest units, as people say it.
    private static func rough(_ milliseconds: Int64) -> String {
        let minutes = milliseconds / 60_000
        let (days, hours) = (minutes / 1440, minutes / 60)
        if days > 0 { return "\(days) d \(hours % 24) h" }
        return hours > 0 ? "\(hours) h \(minutes % 60) min" : "\(minutes) min"
    }
}
