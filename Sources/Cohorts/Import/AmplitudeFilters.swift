import YAML

/// The filters of an event as `where` and `where_user`.
struct AmplitudeFilters {
    typealias Untranslatable = AmplitudeTranslator.Untranslatable

    private var event: [(String, [(String, Node)])] = []
    private var user: [(String, [(String, Node)])] = []

    /// Reads `{subprop_type, subprop_key, subprop_op, subprop_value, group_type}` of each.
    init(_ filters: [AmplitudeFields]) throws(Untranslatable) {
        for filter in filters { try add(filter) }
    }

    /// The two keys, those that there is something for.
    var pairs: [(String, Node)] {
        var pairs: [(String, Node)] = []
        for (key, tests) in [("where", event), ("where_user", user)] where !tests.isEmpty {
            pairs.append((key, .map(tests.map { ($0.0, Self.predicate($0.1)) })))
        }
        return pairs
    }

    /// `is` alone goes without its word.
    private static func predicate(_ tests: [(String, Node)]) -> Node {
        tests.count == 1 && tests[0].0 == "is" ? tests[0].1 : .map(tests)
    }

    private mutating func add(_ filter: AmplitudeFields) throws(Untranslatable) {
        try filter.refuseOthers(
            than: ["subprop_type", "subprop_key", "subprop_op", "subprop_value", "group_type"])
        if let group = filter["group_type"], group.text != "User" {
            throw filter.failure(group, "properties of groups are not known")
        }
        let key = try filter.text("subprop_key")
        let tests = try Self.tests(filter)
        switch try filter.text("subprop_type") {
        case "event": try Self.add(tests, key, to: &event, filter)
        case "user": try Self.add(tests, try Self.userProperty(key, filter), to: &user, filter)
        case let type:
            throw filter.failure(
                filter.node,
                "properties of type \(type) are not known, only event and user"
            )
        }
    }

    /// All tests of a property stand in one map, each operator once.
    private static func add(
        _ tests: [(String, Node)],
        _ key: String,
        to list: inout [(String, [(String, Node)])],
        _ filter: AmplitudeFields
    ) throws(Untranslatable) {
        guard let index = list.firstIndex(where: { $0.0 == key }) else {
            list.append((key, tests))
            return
        }
        for test in tests where list[index].1.contains(where: { $0.0 == test.0 }) {
            throw filter.failure(
                filter.node,
                "there is a second filter \(test.0) on the property \(key)"
            )
        }
        list[index].1 += tests
    }

    /// Our name of a user property: custom ones have a prefix there, built-in ones have names of their own.
    private static func userProperty(
        _ key: String,
        _ filter: AmplitudeFields
    ) throws(Untranslatable) -> String {
        if key.hasPrefix("gp:") { return String(key.dropFirst(3)) }
        switch key {
        case "version": return "app_version"
        case "DMA": return "dma"
        case "country", "region", "city", "language", "platform", "device_type", "start_version":
            return key
        default:
            throw filter.failure(
                filter.node["subprop_key"] ?? filter.node,
                "the built-in property \(key) has no counterpart"
            )
        }
    }

    // MARK: Operators

    private static let unset = "(none)"

    private static func tests(_ filter: AmplitudeFields) throws(Untranslatable) -> [(String, Node)]
    {
        let name = try filter.text("subprop_op")
        let values = try values(filter)
        let place = filter.node["subprop_op"] ?? filter.node
        let hasUnset = values.contains { $0.text == unset }
        if hasUnset { return try unsetTests(name, values, filter) }
        switch name {
        case "is": return [("is", several(values))]
        case "is not": return [("is_not", several(values))]
        case "contains": return [("contains", several(values))]
        case "does not contain": return [("not_contains", several(values))]
        case "has prefix": return [("starts_with", several(values))]
        case "ends with": return [("ends_with", several(values))]
        case "glob match": return [("glob", several(values))]
        case "set is": return [("set_is", .list(values))]
        case "set contains": return [("set_contains", .list(values))]
        default: break
        }
        let comparisons = [
            "less": "lt", "less or equal": "lte", "greater": "gt", "greater or equal": "gte",
            "version less than": "version_lt", "version less than or equal to": "version_lte",
            "version greater than": "version_gt", "version greater than or equal to": "version_gte",
        ]
        guard let test = comparisons[name] else {
            throw filter.failure(place, "the operator \(name) has no counterpart")
        }
        guard values.count == 1 else {
            throw filter.failure(place, "\(name) is expected to have one value")
        }
        // Amplitude keeps numbers as texts; ours are easier to read without quotes.
        let isVersion = name.hasPrefix("version")
        return [
            (
                test,
                isVersion
                    ? values[0]
                    : AmplitudeFields.integer(values[0]).map { .number($0) } ?? values[0]
            )
        ]
    }

    /// `(none)` stands for a property that is not set.
    private static func unsetTests(
        _ name: String,
        _ values: [Node],
        _ filter: AmplitudeFields
    ) throws(Untranslatable) -> [(String, Node)] {
        let others = values.filter { $0.text != unset }
        switch (name, others.isEmpty) {
        case ("is", true): return [("set", .flag(false))]
        case ("is not", true): return [("set", .flag(true))]
        case ("is not", false): return [("set", .flag(true)), ("is_not", several(others))]
        default:
            throw filter.failure(
                filter.node["subprop_value"] ?? filter.node,
                "(none) beside other values, or with \(name), has no counterpart"
            )
        }
    }

    private static func values(_ filter: AmplitudeFields) throws(Untranslatable) -> [Node] {
        guard let value = filter["subprop_value"] else {
            throw filter.failure(filter.node, "subprop_value is missing")
        }
        return value.list ?? [value]
    }

    private static func several(_ values: [Node]) -> Node {
        values.count == 1 ? values[0] : .list(values)
    }
}
