/// When a time zone's clocks are how far from UTC: the transitions of a compiled tzdata file and the rule for
/// all years after the last of them.
///
/// Bytes are handed in; where files lie is the shell's business. Source: RFC 9636 (TZif), POSIX 1003.1 §8.3
/// (the footer's rule).
public struct TimeZoneRules: Sendable {
    /// Why a file could not be used.
    public struct Malformed: Error, Equatable {
        /// What is wrong with it.
        public let text: String
    }

    /// Instants at which the offset may change, ascending, in seconds since 1970 UTC.
    private var transitions: [Int64] = []
    /// The offset from each transition on, in seconds east of UTC.
    private var offsets: [Int64] = []
    /// The offset before the first transition.
    private var firstOffset: Int64 = 0
    /// What holds after the last transition; nil where the last offset goes on for ever.
    private var rule: YearlyRule?
    /// The text of ``rule``.
    private var footer = ""
    /// Whether ``firstOffset`` holds for ever, as in UTC.
    private var isFixed = true

    /// UTC.
    public static let utc = TimeZoneRules()

    private init() {}

    /// Reads the content of a TZif file of version 2 or later.
    public init(tzif bytes: ByteView) throws(Malformed) {
        var reader = TZifReader(bytes)
        do throws(ByteReader.Truncated) {
            try reader.read()
        } catch {
            throw Malformed(text: "it ends at byte \(error.offset), where more is announced")
        }
        if let problem = reader.problem { throw Malformed(text: problem) }
        transitions = reader.transitions
        offsets = reader.offsets
        firstOffset = reader.firstOffset
        footer = reader.footer
        if !footer.isEmpty {
            guard let rule = YearlyRule(footer) else {
                throw Malformed(text: "its rule \(footer) is not understood")
            }
            self.rule = rule
        }
        isFixed =
            transitions.isEmpty
            && (rule.map { $0.summer == nil && $0.standard == firstOffset } ?? true)
    }

    /// The same number for the same rules, in every run.
    public var identity: UInt64 {
        var hash = Hashing.combine(UInt64(transitions.count), UInt64(bitPattern: firstOffset))
        for (transition, offset) in zip(transitions, offsets) {
            hash = Hashing.combine(hash, UInt64(bitPattern: transition))
            hash = Hashing.combine(hash, UInt64(bitPattern: offset))
        }
        return Hashing.combine(hash, Array(footer.utf8).withByteView { Hashing.hash64($0) })
    }

    /// Milliseconds east of UTC in force at an instant.
    ///
    /// Complexity: O(log transitions).
    public func offset(at instant: EventTime) -> Int64 {
        if isFixed { return firstOffset * 1000 }
        let seconds = instant.roundedDown(toMultipleOf: 1000).milliseconds / 1000
        let next = firstIndex(after: seconds)
        if next == transitions.count, let rule {
            return rule.offset(at: seconds, since: transitions.last ?? .min, offsets.last) * 1000
        }
        return (next == 0 ? firstOffset : offsets[next - 1]) * 1000
    }

    /// The local date of an instant, as days since 1970-01-01.
    public func day(of instant: EventTime) -> Int64 {
        let local = instant + offset(at: instant)
        return local.roundedDown(toMultipleOf: Self.dayMilliseconds).milliseconds
            / Self.dayMilliseconds
    }

    /// The start of a local day: the earliest instant whose local date is that day or later.
    ///
    /// Where the clocks go back over midnight the date comes twice, and the first time counts; where midnight
    /// or a whole day is left out, the day starts at the change.
    public func start(ofDay day: Int64) -> EventTime { instant(ofDay: day, minute: 0) }

    /// The earliest instant whose local time is that or later: the first of two where the clocks go back over
    /// it, the change itself where they go forward over it.
    ///
    /// - Parameters:
    ///   - day: A local date, as days since 1970-01-01.
    ///   - minute: A minute of that day, 0…1439.
    /// - Returns: The instant.
    public func instant(ofDay day: Int64, minute: Int) -> EventTime {
        let local = day * Self.dayMilliseconds + Int64(minute) * 60_000
        // Offsets lie within 26 hours of UTC, so the start lies between these two.
        var low = EventTime(milliseconds: (day - 2) * Self.dayMilliseconds)
        let end = EventTime(milliseconds: (day + 3) * Self.dayMilliseconds)
        // Local times may step back at a change of offset, so each stretch of one offset is looked at.
        while low < end {
            let offset = offset(at: low)
            let next = min(nextChange(after: low) ?? end, end)
            let candidate = EventTime(milliseconds: local - offset)
            if candidate <= low { return low }
            if candidate < next { return candidate }
            low = next
        }
        return end
    }

    /// The first instant after `instant` at which the offset may change; nil where none is known.
    public func nextChange(after instant: EventTime) -> EventTime? {
        let seconds = instant.roundedDown(toMultipleOf: 1000).milliseconds / 1000
        let next = firstIndex(after: seconds)
        let change = next < transitions.count ? transitions[next] : rule?.nextChange(after: seconds)
        return change.map { EventTime(milliseconds: $0 * 1000) }
    }

    /// The index of the first transition after an instant; their count where there is none.
    private func firstIndex(after seconds: Int64) -> Int {
        var low = 0
        var high = transitions.count
        while low < high {
            let middle = (low + high) / 2
            if transitions[middle] <= seconds { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private static let dayMilliseconds: Int64 = 86_400_000
}
