import Basics
import YAML

extension DefinitionReader {
    /// A duration as written: `7d` is 7 units of `d`.
    struct Duration {
        var milliseconds: Int64
        var count: Int64
        var unit: Character
    }

    static let windowKeys = [
        "last", "offset", "align", "exclude_current", "since", "between", "within_first",
    ]
    private static let windowForms = ["last", "since", "between", "within_first"]

    private static let durationMin: Int64 = 1000
    private static let durationMax: Int64 = 36_500 * 86_400_000

    /// The window that the keys of a clause describe; its place is the clause's where it has no keys.
    mutating func window(_ fields: Fields, clause: Mark) -> Window? {
        let problemsBefore = problems.count
        let forms = fields.all(of: Self.windowForms)
        for pair in forms.dropFirst() {
            report(
                .conflictingKey,
                pair.keyMark,
                "`\(pair.key)` beside `\(forms[0].key)`: a clause has one window"
            )
        }
        if fields["last"] == nil {
            for pair in fields.all(of: ["offset", "align"]) {
                report(.conflictingKey, pair.keyMark, "`\(pair.key)` goes only with `last`")
            }
        }
        if let pair = fields["exclude_current"], fields["align"] == nil {
            report(.conflictingKey, pair.keyMark, "`exclude_current` goes only with `align`")
        }
        let modifiers = modifiers(fields)
        var read: [Window.Form?] = []
        for pair in forms { read.append(form(pair, fields, modifiers)) }
        guard problems.count == problemsBefore, let form = read.first ?? .anyTime else {
            return nil
        }
        let first = fields.all(of: Self.windowKeys).first?.keyMark
        return Window(form: form, mark: first ?? clause)
    }

    /// What goes with `last`.
    private struct Modifiers {
        var offset: Int64 = 0
        var unit: Window.Unit?
        var excludeCurrent = false
    }

    private mutating func modifiers(_ fields: Fields) -> Modifiers {
        var modifiers = Modifiers()
        if let pair = fields["offset"], let offset = duration(pair.value) {
            modifiers.offset = offset.milliseconds
        }
        if let pair = fields["align"], let unit = word(pair.value, "`align`", of: ["day", "week"]) {
            modifiers.unit = unit == "day" ? .day : .week
        }
        if let pair = fields["exclude_current"], let flag = boolean(pair.value, "`exclude_current`")
        {
            modifiers.excludeCurrent = flag
        }
        return modifiers
    }

    private mutating func form(
        _ pair: Node.Pair,
        _ fields: Fields,
        _ modifiers: Modifiers
    ) -> Window.Form? {
        switch pair.key {
        case "last": return last(pair.value, fields, modifiers)
        case "since":
            guard let from = instant(pair.value, "`since`") else { return nil }
            return Self.form(from: from, to: nil)
        case "between": return between(pair.value)
        default: return duration(pair.value).map { .withinFirst(milliseconds: $0.milliseconds) }
        }
    }

    private mutating func last(
        _ node: Node,
        _ fields: Fields,
        _ modifiers: Modifiers
    ) -> Window.Form? {
        guard let width = duration(node) else { return nil }
        guard let unit = modifiers.unit, let align = fields["align"] else {
            return .last(milliseconds: width.milliseconds, offset: modifiers.offset)
        }
        let letter: Character = unit == .day ? "d" : "w"
        guard width.unit == letter else {
            report(
                .conflictingKey,
                align.keyMark,
                "`align: \(align.value.source.excerpt)` goes only with a number of \(unit)s, not `last: \(node.source.excerpt)`",
                expected: "for example last: 7\(letter)"
            )
            return nil
        }
        return .aligned(
            unit: unit,
            count: width.count,
            excludeCurrent: modifiers.excludeCurrent,
            offset: modifiers.offset
        )
    }

    /// `between: [DATE, DATE]` of a window.
    private mutating func between(_ node: Node) -> Window.Form? {
        let expected = "two dates or two instants"
        guard let items = list(node, "`between`") else { return nil }
        guard items.count == 2 else {
            report(
                .outOfRange,
                node.mark,
                "`between` cannot have \(items.count) values",
                expected: expected
            )
            return nil
        }
        let from = instant(items[0], "`between`")
        let to = instant(items[1], "`between`")
        guard let from, let to else { return nil }
        guard from.isDate == to.isDate else {
            report(
                .mixedKinds,
                items[1].mark,
                "`between` from \(items[0].source.excerpt) to \(items[1].source.excerpt): a date and an instant",
                expected: expected
            )
            return nil
        }
        guard from.time <= to.time else {
            report(
                .reversedRange,
                items[1].mark,
                "`between` from \(items[0].source.excerpt) to \(items[1].source.excerpt): the second is earlier"
            )
            return nil
        }
        return Self.form(from: from, to: to)
    }

    private static func form(
        from: (time: EventTime, isDate: Bool),
        to: (time: EventTime, isDate: Bool)?
    ) -> Window.Form {
        guard from.isDate else { return .instants(from: from.time, to: to?.time) }
        return .dates(from: date(from.time), to: to.map { date($0.time) })
    }

    private static func date(_ midnight: EventTime) -> Window.LocalDate {
        Window.LocalDate(
            daysSince1970: midnight.roundedDown(toMultipleOf: 86_400_000).milliseconds / 86_400_000
        )
    }

    /// A date, as its midnight in UTC, or an instant.
    private mutating func instant(
        _ node: Node,
        _ what: String
    ) -> (time: EventTime, isDate: Bool)? {
        let expected = "a date such as 2026-01-31 or an instant such as \"2026-01-31T12:00:00Z\""
        guard case .text(let text) = node.value else {
            report(
                .wrongType,
                node.mark,
                "\(what) takes dates, not \(Self.kind(node))",
                expected: expected
            )
            return nil
        }
        if let date = EventTime(dateOnly: text) { return (date, true) }
        if let time = EventTime(rfc3339: text) { return (time, false) }
        report(.badDate, node.mark, "\"\(text.excerpt)\" is no date", expected: expected)
        return nil
    }

    /// An integer and one unit, 1s…36500d.
    mutating func duration(
        _ node: Node,
        expected: String = "an integer and one of s m h d w such as 7d"
    ) -> Duration? {
        guard case .text(let text) = node.value else {
            let kind = Self.kind(node)
            report(.wrongType, node.mark, "a duration is a text, not \(kind)", expected: expected)
            return nil
        }
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let unit = text.last, ["s", "m", "h", "d", "w"].contains(unit),
            text.dropFirst(digits.count) == String(unit), !digits.isEmpty
        else {
            report(
                .badDuration,
                node.mark,
                "\"\(text.excerpt)\" is no duration",
                expected: expected
            )
            return nil
        }
        guard let count = Int64(digits), let milliseconds = DurationText.milliseconds(text),
            (Self.durationMin...Self.durationMax).contains(milliseconds)
        else {
            report(
                .outOfRange,
                node.mark,
                "\(text.excerpt) is out of range",
                expected: "1s to 36500d"
            )
            return nil
        }
        return Duration(milliseconds: milliseconds, count: count, unit: unit)
    }
}

extension EventTime {
    /// Reads `YYYY-MM-DD`, which stands for 00:00 UTC; nil for anything else.
    init?(dateOnly text: String) {
        let read = Array(text.utf8).withUnsafeBytes { EventTime(dateOnly: $0) }
        guard let read else { return nil }
        self = read
    }
}
