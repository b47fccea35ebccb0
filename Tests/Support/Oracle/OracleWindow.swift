/// Which instants count; milliseconds, whole seconds.
package enum OracleWindow: Sendable {
    /// The unit of `align`.
    package enum Unit: String, Sendable {
        case day
        case week
    }

    case anyTime
    case last(Int64, offset: Int64?)
    case aligned(Unit, count: Int, excludesCurrent: Bool, offset: Int64?)
    /// Days since 1970-01-01; without an end it is `since`.
    case dates(from: Int, to: Int?)
    /// Milliseconds; without an end it is `since`.
    case instants(from: Int64, to: Int64?)
    case withinFirst(Int64)

    /// A name for each form.
    var form: String {
        switch self {
        case .anyTime: "none"
        case .last(_, nil): "last"
        case .last: "last offset"
        case .aligned(let unit, _, let excludesCurrent, let offset):
            "align \(unit)" + (excludesCurrent ? " exclude_current" : "")
                + (offset == nil ? "" : " offset")
        case .dates(_, nil): "since date"
        case .dates: "between dates"
        case .instants(_, nil): "since instant"
        case .instants: "between instants"
        case .withinFirst: "within_first"
        }
    }

    /// All forms.
    static let forms =
        ["none", "last", "last offset"]
        + ["day", "week"].flatMap { unit in
            ["", " exclude_current", " offset", " exclude_current offset"].map {
                "align \(unit)" + $0
            }
        } + ["since date", "between dates", "since instant", "between instants", "within_first"]

    /// The keys of a flow mapping of YAML.
    var keys: [String] {
        switch self {
        case .anyTime: []
        case .last(let length, let offset):
            ["last: \(Self.text(length))"] + Self.offset(offset)
        case .aligned(let unit, let count, let excludesCurrent, let offset):
            ["last: \(count)\(unit == .day ? "d" : "w")", "align: \(unit)"]
                + (excludesCurrent ? ["exclude_current: true"] : []) + Self.offset(offset)
        case .dates(let from, nil): ["since: \(OracleDate.text(ofDay: from))"]
        case .dates(let from, let to?):
            ["between: [\(OracleDate.text(ofDay: from)), \(OracleDate.text(ofDay: to))]"]
        case .instants(let from, nil): ["since: \"\(OracleDate.text(ofInstant: from))\""]
        case .instants(let from, let to?):
            [
                "between: [\"\(OracleDate.text(ofInstant: from))\", "
                    + "\"\(OracleDate.text(ofInstant: to))\"]"
            ]
        case .withinFirst(let length): ["within_first: \(Self.text(length))"]
        }
    }

    private static func offset(_ offset: Int64?) -> [String] {
        offset.map { ["offset: \(text($0))"] } ?? []
    }

    /// A duration of whole seconds.
    static func text(_ milliseconds: Int64) -> String {
        milliseconds % 60_000 == 0 ? "\(milliseconds / 60_000)m" : "\(milliseconds / 1000)s"
    }
}
