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
        guard scanner.name(), let west = scanner.time(hoursMax: 24) else { return nil }
        standard = -west
        if scanner.isAtEnd {
            summer = nil
            return
        }
        guard scanner.name() else { return nil }
        var offset = standard + 3600
        if !scanner.nextIs(",") {
            guard let summerWest = scanner.time(hoursMax: 24) else { return nil }
            offset = -summerWest
        }
        guard scanner.take(","), let start = scanner.change(), scanner.take(","),
            let end = scanner.change(), scanner.isAtEnd
        else { return nil }
        summer = (offset, start, end)
    }

    /// The offset at an instant.
    ///
    /// - `seconds`: The instant.
    /// - `start`: The last transition before the rule, which is not after the instant.
    /// - `first`: The offset from `start` on, which holds until the rule's first change after it: where a
    ///   zone changes sides between the seasons, compilers were seen to write a rule that says otherwise
    ///   there (America/Ojinaga, 2022).
    func offset(at seconds: Int64, since start: Int64, _ first: Int64?) -> Int64 {
        guard let summer else { return standard }
        // Where two fall together summer time begins the moment it ends, and the later in the list counts.
        var newest: (at: Int64, offset: Int64) = (start, first ?? standard)
        for change in changes(around: seconds, summer)
        where change.at > start && change.at <= seconds && change.at >= newest.at {
            newest = change
        }
        return newest.offset
    }

    /// The first change after an instant.
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
    mutating func time(hoursMax: Int) -> Int64? {
        let isNegative = take("-")
        if !isNegative { _ = take("+") }
        guard let hours = number(), hours <= hoursMax else { return nil }
        var seconds = Int64(hours) * 3600
        if take(":") {
            guard let minutes = number(), minutes <= 59 else { return nil }
            seconds += Int64(minutes) * 60
            if take(":") {
                guard let rest = number(), rest <= 59 else { return nil }
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
            guard let given = time(hoursMax: 167) else { return nil }
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
