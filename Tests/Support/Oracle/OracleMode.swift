/// What is computed from the matching events, and what must hold of it.
package enum OracleMode: Sendable {
    /// A number of the values of a property.
    package enum Reduction: String, CaseIterable, Sendable {
        case sum
        case average = "avg"
        case minimum = "min"
        case maximum = "max"
    }

    /// What `on_distinct` counts.
    package enum Interval: Sendable {
        case day
        case week
        case month
        /// Milliseconds, whole seconds.
        case duration(Int64)
    }

    /// Without tests: it is not written, at least one.
    case count([OracleTest])
    case relative(OracleTest.Operator, OracleFilter)
    case reduced(Reduction, String, [OracleTest])
    case distinct(String, [OracleTest])
    case nth(Int)
    /// Without tests of the count: it is not written, at least one.
    case onDistinct(Interval, count: [OracleTest], [OracleTest])

    /// A name for each mode.
    var name: String {
        switch self {
        case .count: "count"
        case .relative: "relative"
        case .reduced(let reduction, _, _): reduction.rawValue
        case .distinct: "distinct"
        case .nth: "nth"
        case .onDistinct(.day, _, _): "on_distinct day"
        case .onDistinct(.week, _, _): "on_distinct week"
        case .onDistinct(.month, _, _): "on_distinct month"
        case .onDistinct(.duration, _, _): "on_distinct duration"
        }
    }

    /// All modes.
    static let names =
        ["count", "relative", "distinct", "nth"] + Reduction.allCases.map(\.rawValue)
        + ["day", "week", "month", "duration"].map { "on_distinct " + $0 }

    /// The keys of a flow mapping of YAML.
    var keys: [String] {
        switch self {
        case .count(let tests): tests.isEmpty ? [] : ["count: \(tests.yaml)"]
        case .relative(let op, let filter):
            [
                "relative: {"
                    + (["op: \(op.rawValue)"] + filter.keys).joined(separator: ", ") + "}"
            ]
        case .reduced(let reduction, let property, let tests):
            [
                "\(reduction.rawValue): {property: \(OracleValue.quoted(property)), is: \(tests.yaml)}"
            ]
        case .distinct(let property, let tests):
            ["distinct: {property: \(OracleValue.quoted(property)), is: \(tests.yaml)}"]
        case .nth(let place): ["nth: \(place)"]
        case .onDistinct(let interval, let count, let tests):
            [
                "on_distinct: {interval: \(interval.text)"
                    + (count.isEmpty ? "" : ", count: \(count.yaml)") + ", is: \(tests.yaml)}"
            ]
        }
    }

    /// What must hold of the number, where one predicate does.
    var tests: [OracleTest] {
        switch self {
        case .count(let tests), .reduced(_, _, let tests), .distinct(_, let tests),
            .onDistinct(_, _, let tests):
            tests
        case .relative, .nth: []
        }
    }
}

extension OracleMode.Interval {
    fileprivate var text: String {
        switch self {
        case .day: "day"
        case .week: "week"
        case .month: "month"
        case .duration(let length): OracleWindow.text(length)
        }
    }
}
