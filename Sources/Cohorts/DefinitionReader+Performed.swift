import Basics
import Events
import YAML

extension DefinitionReader {
    static let modeKeys = [
        "count", "relative", "sum", "avg", "min", "max", "distinct", "nth", "on_distinct",
    ]

    /// Thresholds of the modes that count.
    private static let countRange: ClosedRange<Int64> = 0...1_000_000_000

    /// The clause `performed`.
    mutating func performed(_ node: Node, key: Mark) -> Performed? {
        guard let fields = map(node, "`performed`") else { return nil }
        refuseUnknownKeys(
            fields,
            known: Self.filterKeys + ["same"] + Self.modeKeys + Self.windowKeys
        )
        let filter = filter(fields, "`performed`")
        let window = window(fields, clause: key)
        let modes = fields.all(of: Self.modeKeys)
        for pair in modes.dropFirst() {
            report(
                .conflictingKey,
                pair.keyMark,
                "`\(pair.key)` beside `\(modes[0].key)`: choose one, or join two clauses by `all`"
            )
        }
        let sameField = fields["same"]
        var isGood = true
        var same: [String] = []
        if let sameField {
            if let names = texts(sameField.value, "a property's name", mayBeEmpty: true) {
                same = names
            } else {
                isGood = false
            }
        }
        var read: [Performed.Mode?] = []
        for pair in modes {
            read.append(
                mode(pair, hasSame: sameField != nil, sameMark: sameField?.keyMark, window: window)
            )
        }
        let atLeastOnce = NumberPredicate(
            tests: [PredicateTest(op: .greaterOrEqual, operands: [.integer(1)])])
        guard isGood, let filter, let window, let mode = read.first ?? .count(atLeastOnce) else {
            return nil
        }
        return Performed(
            filter: filter,
            same: same,
            mode: mode,
            modeMark: modes.first?.keyMark ?? key,
            sameMark: sameField?.keyMark ?? key,
            window: window
        )
    }

    private mutating func mode(
        _ pair: Node.Pair,
        hasSame: Bool,
        sameMark: Mark?,
        window: Window?
    ) -> Performed.Mode? {
        let node = pair.value
        switch pair.key {
        case "count":
            return threshold(node, "`count`", refuseZero: hasSame).map { .count($0) }
        case "relative":
            if let sameMark {
                report(.conflictingKey, sameMark, "`same` does not go with `relative`")
            }
            return relative(node)
        case "sum":
            return aggregate(pair) { reader, node in
                reader.numberPredicate(node, "`is`").flatMap {
                    hasSame ? reader.refuseTrueOfZero($0, node.mark, inMillionths: true) : $0
                }
            }.map { .sum(property: $0, $1) }
        case "avg": return average(pair).map { .average(property: $0, $1) }
        case "min": return average(pair).map { .minimum(property: $0, $1) }
        case "max": return average(pair).map { .maximum(property: $0, $1) }
        case "distinct":
            return aggregate(pair) { reader, node in
                reader.threshold(node, "`is`", refuseZero: hasSame)
            }.map { .distinct(property: $0, $1) }
        case "nth": return integer(node, "`nth`", in: 1...5).map { .nth(Int($0)) }
        default: return onDistinct(node, hasSame: hasSame, window: window)
        }
    }

    /// A predicate on a number of things, 0…10⁹.
    private mutating func threshold(
        _ node: Node,
        _ what: String,
        refuseZero: Bool
    ) -> NumberPredicate? {
        guard let predicate = numberPredicate(node, what, in: Self.countRange) else { return nil }
        return refuseZero ? refuseTrueOfZero(predicate, node.mark, inMillionths: false) : predicate
    }

    /// The predicate unless it holds for nothing at all, where a group that has no event would count.
    private mutating func refuseTrueOfZero(
        _ predicate: NumberPredicate,
        _ mark: Mark,
        inMillionths: Bool
    ) -> NumberPredicate? {
        guard predicate.holdsForZero(inMillionths: inMillionths) else { return predicate }
        report(
            .trueOfZero,
            mark,
            "with `same` the predicate must not hold for 0: groups without events are none",
            expected: "for example {gte: 1}"
        )
        return nil
    }

    private mutating func relative(_ node: Node) -> Performed.Mode? {
        guard let fields = map(node, "`relative`") else { return nil }
        refuseUnknownKeys(fields, known: ["op"] + Self.filterKeys)
        let words = ["is", "is_not", "gt", "gte", "lt", "lte"]
        let op = require("op", fields, "`relative`").flatMap { word($0, "`op`", of: words) }
        let filter = filter(fields, "`relative`")
        guard let op = op.flatMap({ PredicateOperator(rawValue: $0) }), let filter else {
            return nil
        }
        return .relative(op: op, to: filter)
    }

    private mutating func average(_ pair: Node.Pair) -> (String, NumberPredicate)? {
        aggregate(pair) { reader, node in reader.numberPredicate(node, "`is`") }
    }

    /// A map `{property: NAME, is: predicate}`.
    private mutating func aggregate(
        _ pair: Node.Pair,
        _ predicate: (inout DefinitionReader, Node) -> NumberPredicate?
    ) -> (String, NumberPredicate)? {
        let what = "`\(pair.key)`"
        guard let fields = map(pair.value, what) else { return nil }
        refuseUnknownKeys(fields, known: ["property", "is"])
        let property = require("property", fields, what).flatMap {
            text($0, "a property's name", mayBeEmpty: true)
        }
        let tests = require("is", fields, what).flatMap { predicate(&self, $0) }
        guard let property, let tests else { return nil }
        return (property, tests)
    }

    private mutating func onDistinct(
        _ node: Node,
        hasSame: Bool,
        window: Window?
    ) -> Performed.Mode? {
        guard let fields = map(node, "`on_distinct`") else { return nil }
        refuseUnknownKeys(fields, known: ["interval", "count", "is"])
        let interval = require("interval", fields, "`on_distinct`").flatMap {
            self.interval($0, key: fields["interval"]?.keyMark ?? fields.mark, window: window)
        }
        var count: NumberPredicate? = NumberPredicate(
            tests: [PredicateTest(op: .greaterOrEqual, operands: [.integer(1)])])
        if let pair = fields["count"] {
            count = threshold(pair.value, "`count`", refuseZero: false)
            if let given = count, given.holdsForZero(inMillionths: false) {
                report(
                    .trueOfZero,
                    pair.value.mark,
                    "`count` must not hold for 0: intervals without events are no intervals",
                    expected: "for example {gte: 1}"
                )
                count = nil
            }
        }
        let predicate = require("is", fields, "`on_distinct`").flatMap {
            threshold($0, "`is`", refuseZero: hasSame)
        }
        guard let interval, let count, let predicate else { return nil }
        return .onDistinct(interval: interval, count: count, predicate)
    }

    private mutating func interval(
        _ node: Node,
        key: Mark,
        window: Window?
    ) -> Performed.Interval? {
        switch node.value {
        case .text("day"): return .day
        case .text("week"): return .week
        case .text("month"): return .month
        default: break
        }
        guard let width = duration(node, expected: "day, week, month or a duration such as 1h")
        else { return nil }
        switch window?.form {
        case .anyTime, .last, nil: return .milliseconds(width.milliseconds)
        case .aligned, .dates, .instants, .withinFirst:
            report(
                .conflictingKey,
                key,
                "an interval of a duration goes only with plain `last` or no window",
                expected: "day, week or month"
            )
            return nil
        }
    }
}
