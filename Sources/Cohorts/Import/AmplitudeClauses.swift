import YAML

/// The clauses of Amplitude's definitions, one by one.
enum AmplitudeClauses {
    typealias Untranslatable = AmplitudeTranslator.Untranslatable

    /// `event`: an event, counted.
    static func event(_ fields: AmplitudeFields) throws(Untranslatable) -> Node {
        try fields.refuseOthers(
            than: [
                "type", "type_value", "operator", "operator_value", "filters", "group_by", "metric",
            ]
                + AmplitudeFields.timeKeys
        )
        try refuseGrouping(fields)
        if let metric = fields["metric"] {
            throw fields.failure(metric, "what a metric computes is not known")
        }
        let count = try self.count(fields)
        let window = try fields.time().window
        if fields.node["type_value"]?.text == "_new" {
            guard count == nil, try fields.list("filters").isEmpty else {
                throw fields.failure(
                    fields.node,
                    "_new is a state of users: it can be neither counted nor filtered"
                )
            }
            return .map([("new", .map(window))])
        }
        var pairs = try selection(fields, name: "type_value")
        if let count { pairs.append(("count", .map(count))) }
        return .map([("performed", .map(pairs + window))])
    }

    /// The predicate of a count; nil where it is our default, at least once.
    private static func count(
        _ fields: AmplitudeFields
    ) throws(Untranslatable) -> [(String, Node)]? {
        let sign = try fields.text("operator")
        let number = try fields.integer("operator_value")
        let test: String
        let holdsForNone: Bool
        switch sign {
        case ">=", "≥": (test, holdsForNone) = ("gte", number <= 0)
        case ">": (test, holdsForNone) = ("gt", number < 0)
        case "<=", "≤": (test, holdsForNone) = ("lte", number >= 0)
        case "<": (test, holdsForNone) = ("lt", number > 0)
        case "=", "==": (test, holdsForNone) = ("is", number == 0)
        case "!=", "≠", "<>": (test, holdsForNone) = ("is_not", number != 0)
        default:
            throw fields.failure(
                fields.node["operator"] ?? fields.node,
                "the operator \(sign) is not known"
            )
        }
        let isNever = ["lt": number <= 1, "lte": number <= 0, "is": number <= 0][test] ?? false
        if isNever {
            throw fields.failure(
                fields.node["operator_value"] ?? fields.node,
                "Amplitude puts nobody in for a count \(sign) \(number): "
                    + "for users without the event write not: {performed: …}"
            )
        }
        if test == "gte", number <= 1 { return nil }
        // Amplitude looks only at users who did the event; to us the others have 0.
        if !holdsForNone { return [(test, .number(number))] }
        return test == "gt" ? nil : [("gte", .number(1)), (test, .number(number))]
    }

    /// `new_active`: first seen, or seen.
    static func newActive(_ fields: AmplitudeFields) throws(Untranslatable) -> Node {
        try fields.refuseOthers(
            than: ["type", "type_value", "filters", "group_by"] + AmplitudeFields.timeKeys
        )
        try refuseGrouping(fields)
        let kind = try fields.text("type_value")
        guard kind == "new" || kind == "active" else {
            throw fields.failure(
                fields.node["type_value"] ?? fields.node,
                "\(kind) is neither new nor active"
            )
        }
        if let filters = fields["filters"] {
            throw fields.failure(filters, "new and active users cannot be filtered by events")
        }
        return .map([(kind, .map(try fields.time().window))])
    }

    /// `retention`: a start in the window and a return some days after it.
    static func retention(_ fields: AmplitudeFields) throws(Untranslatable) -> Node {
        try fields.refuseOthers(
            than: [
                "type", "retention_method", "base_bracket", "retained", "start_event",
                "return_event",
                "group_by",
            ] + AmplitudeFields.timeKeys
        )
        try refuseGrouping(fields)
        let method = try fields.text("retention_method")
        guard method == "bracket" else {
            throw fields.failure(
                fields.node["retention_method"] ?? fields.node,
                "the retention_method \(method) is not known, only bracket is"
            )
        }
        guard fields["retained"]?.boolean == true else {
            throw fields.failure(
                fields.node["retained"] ?? fields.node,
                "only users who were retained can be expressed"
            )
        }
        guard let bracket = fields["base_bracket"], let days = bracket.list, days.count == 2,
            let first = days[0].integer, let second = days[1].integer
        else {
            throw fields.failure(
                fields.node["base_bracket"] ?? fields.node,
                "base_bracket is expected to be two days"
            )
        }
        let start = try step(fields, "start_event", mayBeNew: true)
        let end = try step(fields, "return_event", mayBeNew: false)
        return .map([
            (
                "retained",
                .map(
                    [
                        ("start", start), ("return", end),
                        ("days", .list([.number(first), .number(second)])),
                    ] + (try fields.time().window)
                )
            )
        ])
    }

    /// `distinct_interval`: an event in each of the periods of a window.
    static func distinctInterval(_ fields: AmplitudeFields) throws(Untranslatable) -> Node {
        try fields.refuseOthers(
            than: ["type", "event", "period", "count", "stickiness_type", "group_by"]
                + AmplitudeFields.timeKeys
        )
        try refuseGrouping(fields)
        let kind = try fields.text("stickiness_type")
        guard kind == "STICKY_IN_ALL_PERIODS" else {
            throw fields.failure(
                fields.node["stickiness_type"] ?? fields.node,
                "the stickiness_type \(kind) is not known, only STICKY_IN_ALL_PERIODS is"
            )
        }
        let time = try fields.time()
        let period = try fields.integer("period")
        let count = try fields.integer("count")
        guard count >= 1 else {
            throw fields.failure(fields.node["count"] ?? fields.node, "the count is not positive")
        }
        guard period > 0, time.width % period == 0 else {
            throw fields.failure(
                fields.node["period"] ?? fields.node,
                "\(time.width) days are not a whole number of periods of \(period) days"
            )
        }
        guard !time.excludesToday else {
            throw fields.failure(
                fields.node["exclude_current_interval"] ?? fields.node,
                "periods of days cannot leave today out: on_distinct takes them from the tick backwards"
            )
        }
        var pairs = try selection(try inner(fields, "event"), name: "event_type")
        var intervals: [(String, Node)] = [("interval", .text("\(period)d"))]
        if count > 1 { intervals.append(("count", .map([("gte", .number(count))]))) }
        intervals.append(("is", .number(time.width / period)))
        pairs.append(("on_distinct", .map(intervals)))
        return .map([("performed", .map(pairs + time.window))])
    }

    // MARK: Events

    /// `{event_type, filters, group_by}` as a step of ours.
    private static func step(
        _ fields: AmplitudeFields,
        _ key: String,
        mayBeNew: Bool
    ) throws(Untranslatable) -> Node {
        let event = try inner(fields, key)
        if event.node["event_type"]?.text == "_new" {
            guard mayBeNew, try event.list("filters").isEmpty else {
                throw event.failure(event.node, "_new can only start a retention, without filters")
            }
            return .map([("new", .flag(true))])
        }
        return .map(try selection(event, name: "event_type"))
    }

    private static func inner(
        _ fields: AmplitudeFields,
        _ key: String
    ) throws(Untranslatable) -> AmplitudeFields {
        guard let node = fields[key] else { throw fields.failure(fields.node, "\(key) is missing") }
        let event = AmplitudeFields(node, place: "\(fields.place).\(key)")
        try event.refuseOthers(than: ["event_type", "filters", "group_by"])
        try refuseGrouping(event)
        return event
    }

    private static func refuseGrouping(_ fields: AmplitudeFields) throws(Untranslatable) {
        if let grouping = fields["group_by"] {
            throw fields.failure(grouping, "what group_by does in a cohort is not known")
        }
    }

    /// `event`, `where` and `where_user` of a clause or a step.
    private static func selection(
        _ fields: AmplitudeFields,
        name key: String
    ) throws(Untranslatable) -> [(String, Node)] {
        let name = try fields.text(key)
        let event: String
        switch name {
        case "_active": event = "_active"
        case "_all": event = "*"
        case "revenue_amount", "verified_revenue", "unverified_revenue":
            throw fields.failure(
                fields.node[key] ?? fields.node,
                "which events make up \(name) is not in the file"
            )
        case "_new":
            throw fields.failure(fields.node, "_new is no event that can be looked for here")
        case "*":
            throw fields.failure(
                fields.node[key] ?? fields.node,
                "an event that is really called * cannot be named"
            )
        case _ where name.hasPrefix("ce:"):
            throw fields.failure(
                fields.node[key] ?? fields.node,
                "which events make up the custom event \(name) is not in the file"
            )
        default: event = name
        }
        let filters = try AmplitudeFilters(try fields.list("filters"))
        return [("event", .text(event))] + filters.pairs
    }
}
