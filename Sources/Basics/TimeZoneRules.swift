/// When a time zone's clocks are how far from UTC: the transitions of a compiled tzdata file and the rule for
/// all years after the last of them.
///
/// Bytes are handed in; where files lie is the shell's business. Source: RFC 9636 (TZif), POSIX 1003.1 §8.3
/// (the footer's rule).
package struct TimeZoneRules: Sendable {
    /// Why a file could not be used.
    package struct Malformed: Error, Equatable {
        /// What is wrong with it.
        package let text: String
    }

    /// Instants at which the offset changes, ascending, in seconds since 1970 UTC.
    private var transitions: [Int64] = []
    /// The offset from each transition on, in seconds east of UTC.
    private var offsets: [Int64] = []
    /// The offset before the first transition.
    private var firstOffset: Int64 = 0
    /// What holds after the last transition; nil where the last offset goes on for ever.
    private var rule: YearlyRule?

    /// UTC.
    package static let utc = TimeZoneRules()

    private init() {}

    /// Reads the content of a TZif file of version 2 or later.
    package init(tzif bytes: ByteView) throws(Malformed) {
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
        if !reader.footer.isEmpty {
            guard let rule = YearlyRule(reader.footer) else {
                throw Malformed(text: "its rule \(reader.footer) is not understood")
            }
            self.rule = rule
        }
    }

    /// The same number for the same rules, in every run.
    package var identity: UInt64 {
        var hash = Hashing.combine(UInt64(transitions.count), UInt64(bitPattern: firstOffset))
        for (transition, offset) in zip(transitions, offsets) {
            hash = Hashing.combine(hash, UInt64(bitPattern: transition))
            hash = Hashing.combine(hash, UInt64(bitPattern: offset))
        }
        if let rule {
            for change in rule.sample { hash = Hashing.combine(hash, UInt64(bitPattern: change)) }
        }
        return hash
    }

    /// Milliseconds east of UTC in force at an instant.
    ///
    /// Complexity: O(log transitions).
    package func offset(at instant: EventTime) -> Int64 {
        let seconds = instant.roundedDown(toMultipleOf: 1000).milliseconds / 1000
        guard let last = transitions.last, seconds < last else {
            if let rule { return rule.offset(at: seconds) * 1000 }
            return (offsets.last ?? firstOffset) * 1000
        }
        var low = 0
        var high = transitions.count
        while low < high {
            let middle = (low + high) / 2
            if transitions[middle] <= seconds { low = middle + 1 } else { high = middle }
        }
        return (low == 0 ? firstOffset : offsets[low - 1]) * 1000
    }

    /// The local date of an instant, as days since 1970-01-01.
    package func day(of instant: EventTime) -> Int64 {
        let local = instant + offset(at: instant)
        return local.roundedDown(toMultipleOf: Self.dayMilliseconds).milliseconds
            / Self.dayMilliseconds
    }

    /// The start of a local day: the earliest instant whose local date is that day or later.
    ///
    /// Where the clocks go back over midnight the date comes twice, and the first time counts; where midnight
    /// or a whole day is left out, the day starts at the change.
    package func start(ofDay day: Int64) -> EventTime {
        // Offsets lie within a day of UTC, so the start lies between these two.
        var low = EventTime(milliseconds: (day - 2) * Self.dayMilliseconds)
        let end = EventTime(milliseconds: (day + 2) * Self.dayMilliseconds)
        // Local dates may step back at a change of offset, so each stretch of one offset is looked at.
        while low < end {
            let offset = offset(at: low)
            let next = min(nextChange(after: low) ?? end, end)
            let candidate = EventTime(milliseconds: day * Self.dayMilliseconds - offset)
            if candidate <= low { return low }
            if candidate < next { return candidate }
            low = next
        }
        return end
    }

    /// The first instant after `instant` at which the offset changes; nil where none is known.
    package func nextChange(after instant: EventTime) -> EventTime? {
        let seconds = instant.roundedDown(toMultipleOf: 1000).milliseconds / 1000
        for transition in transitions[firstIndex(after: seconds)...] {
            let change = EventTime(milliseconds: transition * 1000)
            if change > instant { return change }
        }
        return rule?.nextChange(after: max(seconds, transitions.last ?? seconds)).map {
            EventTime(milliseconds: $0 * 1000)
        }
    }

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

/// Reads the 64-bit block of a TZif file.
private struct TZifReader {
    private var reader: ByteReader
    var transitions: [Int64] = []
    var offsets: [Int64] = []
    var firstOffset: Int64 = 0
    var footer = ""
    var problem: String?

    private struct Counts {
        var isUT = 0
        var isStandard = 0
        var leaps = 0
        var times = 0
        var types = 0
        var characters = 0
    }

    init(_ bytes: ByteView) {
        reader = ByteReader(bytes)
    }

    mutating func read() throws(ByteReader.Truncated) {
        let (version, first) = try header()
        guard problem == nil else { return }
        guard version >= UInt8(ascii: "2") else {
            problem = "it has version \(version), and 2 or later is needed"
            return
        }
        // The first block holds 32-bit times, which the second repeats in 64 bits.
        _ = try reader.read(
            count: first.times * 5 + first.types * 6 + first.characters + first.leaps * 8
                + first.isStandard + first.isUT
        )
        let (_, counts) = try header()
        guard problem == nil else { return }
        try block(counts)
        let rest = try reader.read(count: reader.remaining).array
        footer = String(decoding: rest.filter { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }

    private mutating func header() throws(ByteReader.Truncated) -> (UInt8, Counts) {
        let magic = try reader.read(count: 4)
        if !magic.equals("TZif") { problem = "it does not begin with TZif" }
        let version: UInt8 = try reader.read()
        _ = try reader.read(count: 15)
        var counts = Counts()
        counts.isUT = Int(try big32())
        counts.isStandard = Int(try big32())
        counts.leaps = Int(try big32())
        counts.times = Int(try big32())
        counts.types = Int(try big32())
        counts.characters = Int(try big32())
        return (version, counts)
    }

    private mutating func block(_ counts: Counts) throws(ByteReader.Truncated) {
        for _ in 0..<counts.times {
            transitions.append(Int64(bitPattern: UInt64(bigEndian: try reader.read())))
        }
        var indices: [Int] = []
        for _ in 0..<counts.times {
            let index: UInt8 = try reader.read()
            indices.append(Int(index))
        }
        var types: [Int64] = []
        for _ in 0..<counts.types {
            types.append(Int64(Int32(bitPattern: try big32())))
            _ = try reader.read(count: 2)
        }
        _ = try reader.read(
            count: counts.characters + counts.leaps * 12 + counts.isStandard + counts.isUT
        )
        guard let first = types.first, indices.allSatisfy({ $0 < types.count }) else {
            problem = "a transition names a type that is not there"
            return
        }
        firstOffset = first
        offsets = indices.map { types[$0] }
    }

    private mutating func big32() throws(ByteReader.Truncated) -> UInt32 {
        UInt32(bigEndian: try reader.read())
    }
}

/// The footer of a TZif file: a standard offset and, where there is one, the yearly summer time.
struct YearlyRule: Sendable {
    /// A day of every year, and the local time of day of the change.
    struct Change: Sendable, Equatable {
        enum Day: Sendable, Equatable {
            /// `Jn`: 1…365, the 29th of February never counted.
            case julian(Int)
            /// `n`: 0…365, the 29th of February counted.
            case zeroBased(Int)
            /// `Mm.w.d`: the w-th weekday d of a month, 5 = the last; Sunday is 0.
            case weekday(month: Int, week: Int, day: Int)
        }

        var day: Day
        /// Seconds of local time, −167…167 hours.
        var seconds: Int64
    }

    let standard: Int64
    let summer: (offset: Int64, start: Change, end: Change)?

    /// Reads `CET-1CEST,M3.5.0,M10.5.0/3`, `<+0330>-3:30`, `EST5EDT,M3.2.0,M11.1.0`; nil for anything else.
    init?(_ text: String) {
        var scanner = RuleScanner(text)
        guard scanner.name(), let west = scanner.time() else { return nil }
        standard = -west
        if scanner.isAtEnd {
            summer = nil
            return
        }
        guard scanner.name() else { return nil }
        var offset = standard + 3600
        if !scanner.nextIs(",") {
            guard let summerWest = scanner.time() else { return nil }
            offset = -summerWest
        }
        guard scanner.take(","), let start = scanner.change(), scanner.take(","),
            let end = scanner.change(), scanner.isAtEnd
        else { return nil }
        summer = (offset, start, end)
    }

    func offset(at seconds: Int64) -> Int64 {
        guard let summer else { return standard }
        // The newest change not after the instant decides; two years back one is always found.
        var best: (at: Int64, offset: Int64) = (.min, standard)
        for change in changes(around: seconds, summer)
        where change.at <= seconds && change.at >= best.at {
            best = change
        }
        return best.offset
    }

    /// Numbers that tell the rule from others.
    var sample: [Int64] {
        guard let summer else { return [standard] }
        return [standard] + changes(around: 1_000_000_000, summer).flatMap { [$0.at, $0.offset] }
    }

    func nextChange(after seconds: Int64) -> Int64? {
        guard let summer else { return nil }
        return changes(around: seconds, summer).map(\.at).filter { $0 > seconds }.min()
    }

    private func changes(
        around seconds: Int64,
        _ summer: (offset: Int64, start: Change, end: Change)
    ) -> [(at: Int64, offset: Int64)] {
        let days = EventTime(milliseconds: seconds * 1000).roundedDown(toMultipleOf: 86_400_000)
        let year = CivilDate(daysSince1970: days.milliseconds / 86_400_000).year
        var changes: [(at: Int64, offset: Int64)] = []
        for year in (year - 1)...(year + 1) {
            // Each change is given in the local time that holds before it.
            changes.append(
                (summer.start.day.seconds(year) + summer.start.seconds - standard, summer.offset)
            )
            changes.append(
                (summer.end.day.seconds(year) + summer.end.seconds - summer.offset, standard)
            )
        }
        return changes
    }
}

extension YearlyRule.Change.Day {
    /// Midnight of the day in a year, in seconds since 1970 as if local time were UTC.
    fileprivate func seconds(_ year: Int) -> Int64 {
        let newYear = CivilDate(year: year, month: 1, day: 1).daysSince1970
        switch self {
        case .zeroBased(let day): return (newYear + Int64(day)) * 86_400
        case .julian(let day):
            let isLeap = CivilDate.dayCount(year: year, month: 2) == 29
            return (newYear + Int64(day - 1) + (isLeap && day >= 60 ? 1 : 0)) * 86_400
        case .weekday(let month, let week, let weekday):
            let first = CivilDate(year: year, month: month, day: 1).daysSince1970
            // 1970-01-01 was a Thursday.
            let firstWeekday = Int((first + 4) % 7 + 7) % 7
            var day = 1 + (weekday - firstWeekday + 7) % 7 + (week - 1) * 7
            while day > CivilDate.dayCount(year: year, month: month) { day -= 7 }
            return (first + Int64(day - 1)) * 86_400
        }
    }
}

/// Reads the parts of a POSIX rule.
private struct RuleScanner {
    private let bytes: [UInt8]
    private var position = 0

    init(_ text: String) {
        bytes = Array(text.utf8)
    }

    var isAtEnd: Bool { position == bytes.count }

    func nextIs(_ character: Unicode.Scalar) -> Bool {
        position < bytes.count && UInt32(bytes[position]) == character.value
    }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard nextIs(character) else { return false }
        position += 1
        return true
    }

    /// An abbreviation: three or more letters, or anything in angle brackets.
    mutating func name() -> Bool {
        if take("<") {
            while position < bytes.count, !nextIs(">") { position += 1 }
            return take(">")
        }
        let start = position
        while position < bytes.count, bytes[position] | 0x20 >= UInt8(ascii: "a"),
            bytes[position] | 0x20 <= UInt8(ascii: "z")
        {
            position += 1
        }
        return position - start >= 3
    }

    /// `[+-]hh[:mm[:ss]]` in seconds.
    mutating func time() -> Int64? {
        let isNegative = take("-")
        if !isNegative { _ = take("+") }
        guard let hours = number() else { return nil }
        var seconds = Int64(hours) * 3600
        if take(":") {
            guard let minutes = number() else { return nil }
            seconds += Int64(minutes) * 60
            if take(":") {
                guard let rest = number() else { return nil }
                seconds += Int64(rest)
            }
        }
        return isNegative ? -seconds : seconds
    }

    mutating func change() -> YearlyRule.Change? {
        let day: YearlyRule.Change.Day
        if take("M") {
            guard let month = number(), (1...12).contains(month), take("."), let week = number(),
                (1...5).contains(week), take("."), let weekday = number(), (0...6).contains(weekday)
            else { return nil }
            day = .weekday(month: month, week: week, day: weekday)
        } else if take("J") {
            guard let number = number(), (1...365).contains(number) else { return nil }
            day = .julian(number)
        } else {
            guard let number = number(), (0...365).contains(number) else { return nil }
            day = .zeroBased(number)
        }
        var seconds: Int64 = 7200
        if take("/") {
            guard let given = time() else { return nil }
            seconds = given
        }
        return YearlyRule.Change(day: day, seconds: seconds)
    }

    private mutating func number() -> Int? {
        let start = position
        var value = 0
        while position < bytes.count,
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position]),
            position - start < 4
        {
            value = value * 10 + Int(bytes[position] - UInt8(ascii: "0"))
            position += 1
        }
        return position > start ? value : nil
    }
}
