import Basics
import Events
import YAML

extension DefinitionReader {
    static let filterKeys = ["event", "where", "where_user"]

    /// `event`, `where` and `where_user` of a map that may have other keys too.
    mutating func filter(_ fields: Fields, _ what: String) -> EventFilter? {
        let event = require("event", fields, what).flatMap { selector($0) }
        var isGood = true
        var whereEvent: [PropertyTest] = []
        if let pair = fields["where"] {
            if let tests = propertyTests(pair.value, "`where`") {
                whereEvent = tests
            } else {
                isGood = false
            }
        }
        var whereUser: [PropertyTest] = []
        if let pair = fields["where_user"] {
            if let tests = propertyTests(pair.value, "`where_user`") {
                whereUser = tests
            } else {
                isGood = false
            }
        }
        guard isGood, let event else { return nil }
        return EventFilter(event: event, whereEvent: whereEvent, whereUser: whereUser)
    }

    private mutating func selector(_ node: Node) -> EventSelector? {
        switch node.value {
        case .text("*"): return .any
        case .text("_active"): return .active
        default: break
        }
        guard let names = texts(node, "an event's name") else { return nil }
        guard let special = names.first(where: { $0 == "*" || $0 == "_active" }) else {
            return .named(names)
        }
        report(.reservedName, node.mark, "\"\(special)\" stands alone, not in a list")
        return nil
    }

    private mutating func step(_ node: Node, _ what: String) -> EventFilter? {
        guard let fields = map(node, what) else { return nil }
        refuseUnknownKeys(fields, known: Self.filterKeys)
        return filter(fields, what)
    }

    /// The clause `sequence`.
    mutating func sequence(_ node: Node, key: Mark) -> Sequence? {
        guard let fields = map(node, "`sequence`") else { return nil }
        refuseUnknownKeys(fields, known: ["steps", "within", "same"] + Self.windowKeys)
        let steps = require("steps", fields, "`sequence`").flatMap { self.steps($0) }
        var isGood = true
        var within: Int64?
        if let pair = fields["within"] {
            within = duration(pair.value)?.milliseconds
            isGood = within != nil
        }
        var same: [String] = []
        if let pair = fields["same"] {
            if let names = texts(pair.value, "a property's name", mayBeEmpty: true) {
                same = names
            } else {
                isGood = false
            }
        }
        guard let window = window(fields, clause: key), isGood, let steps else { return nil }
        return Sequence(steps: steps, within: within, same: same, window: window)
    }

    private mutating func steps(_ node: Node) -> [EventFilter]? {
        guard let items = list(node, "`steps`") else { return nil }
        var steps: [EventFilter] = []
        for item in items {
            if let step = step(item, "a step") { steps.append(step) }
        }
        guard (2...10).contains(items.count) else {
            report(
                .outOfRange,
                node.mark,
                "a sequence cannot have \(items.count) steps",
                expected: "2 to 10 steps"
            )
            return nil
        }
        return steps.count == items.count ? steps : nil
    }

    /// The clause `retained`.
    mutating func retained(_ node: Node, key: Mark) -> Retained? {
        guard let fields = map(node, "`retained`") else { return nil }
        refuseUnknownKeys(fields, known: ["start", "return", "days"] + Self.windowKeys)
        let start = require("start", fields, "`retained`").flatMap { self.start($0) }
        let end = require("return", fields, "`retained`").flatMap { step($0, "`return`") }
        let days = require("days", fields, "`retained`").flatMap { self.days($0) }
        guard let window = window(fields, clause: key), let start, let end, let days else {
            return nil
        }
        return Retained(start: start, end: end, days: days, window: window)
    }

    private mutating func start(_ node: Node) -> Retained.Start? {
        guard let fields = map(node, "`start`") else { return nil }
        guard let new = fields["new"] else {
            return step(node, "`start`").map { .event($0) }
        }
        refuseUnknownKeys(fields, known: ["new"] + Self.filterKeys)
        var isGood = true
        for pair in fields.all(of: Self.filterKeys) {
            report(.conflictingKey, pair.keyMark, "`\(pair.key)` beside `new`: choose one")
            isGood = false
        }
        guard let flag = boolean(new.value, "`new`") else { return nil }
        if !flag {
            report(
                .wrongType,
                new.value.mark,
                "`new` is true or not there",
                expected: "true or an `event`"
            )
            return nil
        }
        return isGood ? .firstSeen : nil
    }

    private mutating func days(_ node: Node) -> (first: Int64, second: Int64)? {
        let expected = "two integers [a, b] with 0 ≤ a < b ≤ 36500"
        guard let items = list(node, "`days`") else { return nil }
        guard items.count == 2 else {
            report(
                .outOfRange,
                node.mark,
                "`days` cannot have \(items.count) values",
                expected: expected
            )
            return nil
        }
        let first = integer(items[0], "a day", in: 0...36_499)
        let second = integer(items[1], "a day", in: 1...36_500)
        guard let first, let second else { return nil }
        guard first < second else {
            report(
                .reversedRange,
                node.mark,
                "`days` from \(first) to \(second)",
                expected: expected
            )
            return nil
        }
        return (first, second)
    }
}
