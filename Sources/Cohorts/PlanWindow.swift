public import Basics

/// A window of a plan: which instants count at a tick, as one range of milliseconds.
///
/// All forms but `within_first` give the same range for every user, so the engine works it out once a tick.
public enum PlanWindow: Sendable {
    /// Every t ≤ T.
    case anyTime
    /// T − offset − length < t ≤ T − offset.
    case last(length: Int64, offset: Int64)
    /// Local days or weeks up to T − offset.
    case aligned(Aligned)
    /// from ≤ t < end, and t ≤ T; nil = no end.
    case between(from: EventTime, end: EventTime?)
    /// first seen ≤ t < first seen + length, and t ≤ T.
    case withinFirst(length: Int64)

    /// `align: day` or `align: week`.
    public struct Aligned: Sendable {
        /// Days in a unit: 1 or 7.
        public var unitDays: Int64
        /// How many units, today's or this week's among them unless it is left out.
        public var count: Int64
        /// Leaves the unit of T − offset out.
        public var excludesCurrent: Bool
        /// Milliseconds.
        public var offset: Int64
        /// The zone of its days.
        public var zone: TimeZoneRules
    }

    /// The instants that count at a tick: from ≤ t < end, both in milliseconds since 1970.
    public struct Range: Equatable, Sendable {
        /// The first instant that counts.
        public var from: Int64
        /// The first after ``from`` that does not.
        public var end: Int64
        /// An event at t counts from the tick t + delay on.
        public var delay: Int64
        /// An event that counts stops counting at t + lifetime; nil where only ``next`` moves the start.
        public var lifetime: Int64?
        /// The next instant at which the range changes otherwise than by moving along; nil = never.
        public var next: EventTime?

        /// A range from its parts.
        public init(from: Int64, end: Int64, delay: Int64, lifetime: Int64?, next: EventTime?) {
            self.from = from
            self.end = end
            self.delay = delay
            self.lifetime = lifetime
            self.next = next
        }
    }

    /// The range at a tick.
    /// - `firstSeen`: Of the user; looked at by `within_first` only.
    public func range(at tick: EventTime, firstSeen: EventTime) -> Range {
        let afterTick = tick.milliseconds + 1
        switch self {
        case .anyTime:
            return Range(from: .min, end: afterTick, delay: 0, lifetime: nil, next: nil)
        case .last(let length, let offset):
            let end = afterTick - offset
            return Range(
                from: end - length,
                end: end,
                delay: offset,
                lifetime: offset + length,
                next: nil
            )
        case .aligned(let aligned):
            return aligned.range(at: tick)
        case .between(let from, let end):
            // At a tick before it begins it is empty, not turned round.
            return Range(
                from: from.milliseconds,
                end: max(from.milliseconds, min(afterTick, end?.milliseconds ?? .max)),
                delay: 0,
                lifetime: nil,
                next: nil
            )
        case .withinFirst(let length):
            guard firstSeen <= tick else {
                // It has not begun, so everything is still ahead of it.
                return Range(from: .min, end: .min, delay: 0, lifetime: nil, next: nil)
            }
            return Range(
                from: firstSeen.milliseconds,
                end: min(afterTick, firstSeen.milliseconds + length),
                delay: 0,
                lifetime: nil,
                next: nil
            )
        }
    }

    /// The window as the usual conditions take it; nil for other forms.
    var sliding: Condition.CountWindow? {
        switch self {
        case .anyTime: .anyTime
        case .last(let length, let offset): .last(length: length, offset: offset)
        default: nil
        }
    }

    /// Whether the range is the same for every user.
    public var isShared: Bool {
        if case .withinFirst = self { false } else { true }
    }

    /// How long before a tick an instant can still count, in milliseconds; nil where that has no bound.
    public var horizon: Int64? {
        switch self {
        case .anyTime, .between, .withinFirst: nil
        case .last: sliding?.horizon
        // A local day may last longer than 24 hours, and one may be left out: two days cover every zone.
        case .aligned(let aligned):
            (aligned.unitDays * (aligned.count + 1) + 2) * 86_400_000 + aligned.offset
        }
    }

    /// Appends what tells this window from others.
    public func write(to writer: inout ByteWriter) {
        switch self {
        case .anyTime: writer.write(UInt8(1))
        case .last(let length, let offset):
            writer.write(UInt8(2))
            writer.write(length)
            writer.write(offset)
        case .aligned(let aligned):
            writer.write(UInt8(3))
            writer.write(aligned.unitDays)
            writer.write(aligned.count)
            writer.write(UInt8(aligned.excludesCurrent ? 1 : 0))
            writer.write(aligned.offset)
            writer.write(aligned.zone.identity)
        case .between(let from, let end):
            writer.write(UInt8(4))
            writer.write(from.milliseconds)
            writer.write(end?.milliseconds ?? .max)
        case .withinFirst(let length):
            writer.write(UInt8(5))
            writer.write(length)
        }
    }
}

extension PlanWindow.Aligned {
    fileprivate func range(at tick: EventTime) -> PlanWindow.Range {
        let anchor = tick - offset
        let today = zone.day(of: anchor)
        // 1970-01-01 was a Thursday: weeks begin three days before it.
        let unit = unitDays == 1 ? today : today - (((today + 3) % 7) + 7) % 7
        let from: EventTime
        let end: Int64
        if excludesCurrent {
            from = zone.start(ofDay: unit - count * unitDays)
            end = zone.start(ofDay: unit).milliseconds
        } else {
            from = zone.start(ofDay: unit - (count - 1) * unitDays)
            end = anchor.milliseconds + 1
        }
        return PlanWindow.Range(
            from: from.milliseconds,
            end: end,
            delay: offset,
            lifetime: nil,
            next: nextStart(unit: unit, after: anchor) + offset
        )
    }

    /// Whether the range changes otherwise than by moving along with the tick at an instant in
    /// (`previous`, `tick`].
    func beginsAnew(after previous: EventTime, upTo tick: EventTime) -> Bool {
        var last = range(at: previous)
        while let next = last.next, next <= tick {
            let range = range(at: next)
            if range.from != last.from || excludesCurrent && range.end != last.end { return true }
            last = range
        }
        return false
    }

    /// The next instant after `anchor` at which another unit may begin.
    ///
    /// Where clocks go back over midnight a local date ends and comes again, so a change of offset is
    /// looked at too; an instant at which nothing changes does no harm.
    private func nextStart(unit: Int64, after anchor: EventTime) -> EventTime {
        let midnight = EventTime(
            milliseconds: (unit + unitDays) * 86_400_000 - zone.offset(at: anchor)
        )
        var next = zone.nextChange(after: anchor) ?? .distantFuture
        for candidate in [zone.start(ofDay: unit + unitDays), midnight] where candidate > anchor {
            next = min(next, candidate)
        }
        return next
    }
}
