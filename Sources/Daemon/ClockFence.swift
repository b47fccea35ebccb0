import Basics

/// Decides whether the wall clock can be believed, so that a clock that jumps makes nobody leave.
///
/// Plain: readings and witnesses are handed in.
///
/// The wall clock is compared with a reference, the reading when it was last believed, and with the clock that never
/// jumps. Ahead of what that gives by more than ``toleranceMilliseconds`` it is not believed, until it is back,
/// somebody accepts it, or a witness from outside agrees with it. A clock that was set back holds nothing by itself:
/// time stands still until it has passed the last tick, since ticks never go back.
struct ClockFence {
    /// Why no tick may be made.
    enum Hold: Equatable {
        /// The clock was never set: it is before this program was written.
        case unset
        /// It is before the last tick.
        case behind(lastTick: EventTime)
        /// It is further on than it can be.
        case ahead(expected: EventTime)

        /// Whether both are of one kind.
        func isLike(_ other: Hold?) -> Bool {
            switch (self, other) {
            case (.unset, .unset), (.behind, .behind), (.ahead, .ahead): true
            default: false
            }
        }
    }

    /// What came of accepting the clock as it is.
    enum Acceptance: Equatable {
        case accepted
        /// Nothing was held.
        case needless
        /// Nobody can accept that.
        case refused(Hold)
    }

    /// How far the wall clock may be ahead of what is expected.
    static let toleranceMilliseconds: Int64 = 300_000
    /// How far it may be before the last tick without a word: a second's correction delays one tick, no more.
    static let lagMilliseconds: Int64 = 60_000
    /// For how many minutes in a row a witness must agree with a clock that was seen to jump.
    static let minutesNeeded = 3
    /// After which time the reference is made anew, so that slow drift never adds up.
    static let renewalMilliseconds: Int64 = 3_600_000
    /// 2025-01-01T00:00:00Z: machines whose clock was never set say 1970, or when their firmware was made.
    static let earliest = EventTime(milliseconds: 1_735_689_600_000)

    /// The reading when the clock was last believed; what a later run of the daemon compares with.
    private(set) var reference: ClockReading?
    /// Why no tick may be made, as of the last look.
    private(set) var hold: Hold?
    /// The newest tick that any partition has done.
    private(set) var lastTick: EventTime?

    /// Whether the reference is a reading of this boot; else it is only the last tick, and how long ago that was
    /// nobody knows.
    private var isReading: Bool
    /// When the minute that is looked at began, and how many before it the witness agreed with.
    private var minute: (began: ClockReading, agreed: Int)?

    private static let minuteMilliseconds: Int64 = 60_000
    /// How far a minute of the wall clock may be from one of the other clock.
    private static let unsteadyMilliseconds: Int64 = 5000

    /// A fence at the start of a daemon.
    ///
    /// - Parameters:
    ///   - stored: What an earlier run since the machine started kept as ``reference``.
    ///   - lastTick: The newest tick in the snapshots.
    ///   - reading: The clocks now.
    init(stored: ClockReading?, lastTick: EventTime?, at reading: ClockReading) {
        self.lastTick = lastTick
        isReading = stored != nil
        reference =
            stored ?? lastTick.map { ClockReading(now: $0, sinceBoot: reading.sinceBoot) }
    }

    /// Looks at the clocks.
    ///
    /// - Parameters:
    ///   - reading: The clocks now.
    ///   - isWitnessed: Whether something outside of this machine agrees with an instant; asked seldom.
    /// - Returns: Why no tick may be made; nil where ticks go on.
    mutating func look(_ reading: ClockReading, isWitnessed: (EventTime) -> Bool) -> Hold? {
        hold = judge(reading, isWitnessed)
        return hold
    }

    private mutating func judge(
        _ reading: ClockReading,
        _ isWitnessed: (EventTime) -> Bool
    ) -> Hold? {
        if let hold = unacceptable(reading) { return hold }
        guard let reference else {
            believe(reading)
            return nil
        }
        let deviation = reading.deviation(since: reference)
        guard deviation > Self.toleranceMilliseconds else {
            if !isReading || reading.sinceBoot - reference.sinceBoot >= Self.renewalMilliseconds {
                believe(reading)
            }
            minute = nil
            return nil
        }
        let ahead = Hold.ahead(expected: reading.now - deviation)
        if !isReading {
            // Nothing was seen to jump; it may just have been long ago.
            guard isSecondOver(reading), isWitnessed(reading.now) else { return ahead }
            believe(reading)
            return nil
        }
        guard let minute else {
            self.minute = (reading, 0)
            return ahead
        }
        guard reading.sinceBoot - minute.began.sinceBoot >= Self.minuteMilliseconds else {
            return ahead
        }
        let isSteady = abs(reading.deviation(since: minute.began)) <= Self.unsteadyMilliseconds
        let agreed = isSteady && isWitnessed(reading.now) ? minute.agreed + 1 : 0
        guard agreed >= Self.minutesNeeded else {
            self.minute = (reading, agreed)
            return ahead
        }
        believe(reading)
        return nil
    }

    /// What nobody can accept.
    private func unacceptable(_ reading: ClockReading) -> Hold? {
        if reading.now < Self.earliest { return .unset }
        if let lastTick, lastTick - reading.now > Self.lagMilliseconds {
            return .behind(lastTick: lastTick)
        }
        return nil
    }

    /// Whether the witness may be asked again: it looks at files.
    private mutating func isSecondOver(_ reading: ClockReading) -> Bool {
        if let minute, reading.sinceBoot - minute.began.sinceBoot < 1000 { return false }
        minute = (reading, 0)
        return true
    }

    /// Lets time go on from what the clocks say.
    mutating func accept(_ reading: ClockReading) -> Acceptance {
        if let hold = unacceptable(reading) { return .refused(hold) }
        guard hold != nil else { return .needless }
        believe(reading)
        hold = nil
        return .accepted
    }

    private mutating func believe(_ reading: ClockReading) {
        reference = reading
        isReading = true
        minute = nil
    }

    /// A tick was handed on.
    mutating func ticked(_ tick: EventTime) {
        lastTick = max(lastTick ?? tick, tick)
    }
}
