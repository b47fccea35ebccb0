import Basics

/// Says at which instants of the wall clock ticks are owed.
///
/// Plain: time is handed in.
///
/// Ticks stand on multiples of their width since 1970. While the end offsets of a tick are asked for and not
/// known yet, only the newest boundary is owed: one that was passed without an answer is skipped.
struct TickSource {
    private let width: Int64
    private var last: EventTime
    /// When a failed attempt may be repeated, by the clock that never jumps.
    private var retryAt: Int64 = .min

    /// How long after a failed attempt the next one may come, in milliseconds.
    static let retryMilliseconds: Int64 = 500

    /// Ticks from the first boundary after `now` on.
    init(width: Int64, now: EventTime) {
        self.width = width
        last = now.roundedDown(toMultipleOf: width)
    }

    /// The first tick that will be asked for after the start.
    var first: EventTime { last + width }

    /// The tick owed now; nil while there is none.
    func due(now: EventTime, monotonic: Int64) -> EventTime? {
        let boundary = now.roundedDown(toMultipleOf: width)
        return boundary > last && monotonic >= retryAt ? boundary : nil
    }

    /// The end offsets of a tick were learnt and handed on.
    mutating func done(_ tick: EventTime) {
        last = max(last, tick)
        retryAt = .min
    }

    /// They could not be learnt.
    mutating func failed(monotonic: Int64) {
        retryAt = monotonic + Self.retryMilliseconds
    }
}
