import Basics

/// Says at which instants of the wall clock ticks are owed.
///
/// Plain: time is handed in.
///
/// Ticks stand on multiples of their width since 1970. While the end offsets of a tick are asked for and not
/// known yet, only the newest boundary is owed: one that was passed without an answer is skipped.
struct TickSource {
    private let width: Int64
    /// The newest tick that is done, or was passed before the start; none before there is one.
    private var last = EventTime.distantPast
    /// When a failed attempt may be repeated, by the clock that never jumps.
    private var retryAt: Int64 = .min

    /// How long after a failed attempt the next one may come, in milliseconds.
    static let retryMilliseconds: Int64 = 500

    /// Owes the boundary that is passed at the moment, until it is told otherwise.
    init(width: Int64) {
        self.width = width
    }

    /// Ticks from the first boundary after `now` on, by a clock that is believed.
    mutating func begin(now: EventTime) {
        raise(to: now.roundedDown(toMultipleOf: width))
    }

    /// What an earlier run did is done.
    mutating func raise(to tick: EventTime) {
        last = max(last, tick)
    }

    /// No tick before it will be asked for.
    var floor: EventTime {
        // Another width may have been configured for the tick before.
        last == .distantPast ? last : last.roundedDown(toMultipleOf: width) + width
    }

    /// The tick owed now; nil while there is none.
    func due(now: EventTime, monotonic: Int64) -> EventTime? {
        let boundary = now.roundedDown(toMultipleOf: width)
        return boundary > last && monotonic >= retryAt ? boundary : nil
    }

    /// The end offsets of a tick were learnt and handed on.
    mutating func done(_ tick: EventTime) {
        raise(to: tick)
        retryAt = .min
    }

    /// They could not be learnt.
    mutating func failed(monotonic: Int64) {
        retryAt = monotonic + Self.retryMilliseconds
    }
}
