/// One limit of a partner: never more than `count` in any span of `per` milliseconds, wherever the span begins.
///
/// A request counts from when it is handed out until `per` after its answer. Nobody knows when in between the
/// partner counted it, so that every span of the partner's own clock is held as well.
///
/// Up to 128, what was sent is remembered one by one. Of more, what was sent within `per` / 128 is one entry that
/// counts until its last part is over: the window then lets a little less through than it could, never more.
struct RateWindow: Sendable {
    private struct Entry {
        var first: Int64
        var last: Int64
        var count: Int
    }

    /// The most entries that are exact.
    static let exactMax = 128

    private let count: Int
    private let per: Int64
    private let width: Int64
    private var entries: [Entry] = []
    private var inFlight = 0
    /// What the partner says is left, less what was handed out since.
    private var left = 0
    private var leftUntil = Int64.min

    /// A window in which nothing was sent.
    ///
    /// - Parameters:
    ///   - count: The most in a span, at least 1.
    ///   - per: The length of the span, in milliseconds, at least 1.
    init(count: Int, per: Int64) {
        precondition(count > 0 && per > 0, "a limit of \(count) per \(per) ms")
        self.count = count
        self.per = per
        width = count > Self.exactMax ? per / Int64(Self.exactMax) : 0
    }

    /// The most in a span at a lowered rate; at least 1.
    func capacity(factor: Double) -> Int {
        max(1, Int(Double(count) * factor))
    }

    /// How many may be handed out now, with `factor` (0 … 1) left of the rate.
    ///
    /// `now` is monotonic milliseconds and never earlier than in any call before.
    /// - Complexity: O(1), for there are at most 129 entries.
    func available(now: Int64, factor: Double) -> Int {
        let own = capacity(factor: factor) - inFlight - counted(now)
        return max(0, now < leftUntil ? min(own, left) : own)
    }

    /// When `wanted` may be handed out if nothing else is; nil where only an answer can tell.
    ///
    /// `wanted` is at most ``capacity(factor:)``.
    func availability(of wanted: Int, now: Int64, factor: Double) -> Int64? {
        let earliest = now < leftUntil && left < wanted ? leftUntil : now
        var missing = wanted - (capacity(factor: factor) - inFlight - counted(now))
        if missing <= 0 { return earliest }
        for entry in entries where now <= entry.last + per {
            missing -= entry.count
            if missing <= 0 { return max(earliest, entry.last + per + 1) }
        }
        return nil
    }

    /// Hands out.
    mutating func reserve(_ number: Int) {
        inFlight += number
        left -= number
    }

    /// Takes back what never left: the partner saw nothing of it.
    mutating func release(_ number: Int) {
        inFlight -= number
        left += number
    }

    /// Counts what was answered, or given up.
    mutating func settle(_ number: Int, now: Int64) {
        inFlight -= number
        guard number > 0 else { return }
        entries.removeAll { now > $0.last + per }
        if let last = entries.indices.last, now - entries[last].first <= width {
            entries[last].last = now
            entries[last].count += number
        } else {
            entries.append(Entry(first: now, last: now, count: number))
        }
    }

    /// Believes the partner where it leaves less than we would, until it counts anew after `wait` milliseconds.
    ///
    /// In `remaining` requests under way may or may not be counted; they are taken as not.
    mutating func observe(remaining: Int, wait: Int64?, now: Int64) {
        left = remaining - inFlight
        leftUntil = now + (wait ?? per)
    }

    private func counted(_ now: Int64) -> Int {
        var sum = 0
        for entry in entries where now <= entry.last + per { sum += entry.count }
        return sum
    }
}
