package import Basics

/// Which instants a replay ticks at.
package struct TickSchedule: Sendable {
    /// How the instants are chosen.
    package enum Rule: Sendable {
        /// Multiples of `width` milliseconds from the first ≥ `from` (nil: the first arrival) to `until`
        /// (nil: the first ≥ the last arrival and the first tick), the last at `until` exactly.
        case every(width: Int64, from: EventTime?, until: EventTime?)
        /// Just these, ascending, each once.
        case at([EventTime])
    }

    private let rule: Rule
    private var next: EventTime?
    private var listed = 0
    private var lastDone: EventTime?

    /// A schedule of which nothing was ticked yet.
    package init(_ rule: Rule) {
        self.rule = rule
        switch rule {
        case .every(let width, let from, let until):
            next = from.map { Self.bounded($0.roundedUp(toMultipleOf: width), by: until) }
        case .at(let instants):
            next = instants.first
        }
    }

    /// The next tick as far as it is known: nil before the first arrival where that decides, and after the
    /// last tick.
    package var pending: EventTime? { next }

    /// Takes notice of an arrival, of which the first may decide the first tick.
    package mutating func arrived(_ arrival: EventTime) {
        guard case .every(let width, _, let until) = rule, next == nil, lastDone == nil else {
            return
        }
        next = Self.bounded(arrival.roundedUp(toMultipleOf: width), by: until)
    }

    /// The next tick that must come before a line that arrives at `arrival`; nil where none is left.
    package func due(before arrival: EventTime) -> EventTime? {
        guard let next, next < arrival else { return nil }
        return next
    }

    /// The next tick after the last line, which arrived at `last` (nil: no line was accepted).
    package mutating func due(afterLast last: EventTime?) -> EventTime? {
        switch rule {
        case .at:
            return next
        case .every(let width, _, let until):
            if let until {
                if next == nil, lastDone == nil { next = until }
                return next
            }
            guard let last, let next else { return nil }
            if let lastDone, lastDone >= last.roundedUp(toMultipleOf: width) { return nil }
            return next
        }
    }

    /// The tick at `instant`, which was due, is done.
    package mutating func done(_ instant: EventTime) {
        lastDone = instant
        switch rule {
        case .at(let instants):
            listed += 1
            next = listed < instants.count ? instants[listed] : nil
        case .every(let width, _, let until):
            if let until, instant >= until {
                next = nil
            } else {
                next = Self.bounded((instant + 1).roundedUp(toMultipleOf: width), by: until)
            }
        }
    }

    private static func bounded(_ instant: EventTime, by until: EventTime?) -> EventTime {
        until.map { min(instant, $0) } ?? instant
    }
}
