import Cohorts
import InputFiles

/// The hundred cohorts of the benchmark of ticks.
///
/// An event of a type `t00`…`t29` that its user did not send before, which also moves the user's `tier`, makes four
/// memberships flip: in by the type, out by the type, out of the old tier and into the new one. The rest is what
/// a tick has to look at, and seldom flips; but for `today`, which everybody who sent a `v00` leaves at midnight.
enum TickDefinitions {
    /// How many types of events flip somebody once.
    static let typeCount = 30
    /// How many values `tier` has.
    static let tierCount = 20
    /// How many types of events there are in the history of users.
    static let historyTypeCount = 10

    /// The definitions as a plan; they are right by construction.
    static func plan() -> Plan {
        let (definitions, problems) = DefinitionParser.parse(
            documents.enumerated().map { number, text in
                DefinitionSource(name: "cohort \(number)", bytes: Array(text.utf8))
            },
            isTimeZone: ZoneFiles.exists
        )
        precondition(problems.isEmpty, problems.first?.description ?? "")
        return PlanCompiler.compile(
            definitions,
            PlanSettings(for: definitions, inactiveEvents: ["*"], defaultZone: "UTC")
        )
    }

    private static var documents: [String] {
        (0..<typeCount).flatMap(typed) + (0..<tierCount).map(tiered) + others
    }

    /// Entered and left by a user's first event of a type; everyone has an `l00`, and prices are 10 at least.
    private static func typed(_ number: Int) -> [String] {
        let type = name("t", number)
        let entered =
            switch number % 6 {
            case 0: performed(type, "")
            case 1: performed(type, ", sum: {property: price, is: {gte: 10}}")
            case 2: performed(type, ", distinct: {property: category, is: {gte: 1}}")
            case 3: performed(type, ", max: {property: price, is: {gte: 10}}")
            case 4: "sequence: {steps: [{event: l00}, {event: \(type)}], last: 14d}"
            default: performed(type, ", on_distinct: {interval: day, is: {gte: 1}}")
            }
        let left = "performed: {event: \(type), last: 21d}"
        return [
            "{id: in-\(type), users: {\(entered)}}",
            "{id: out-\(type), users: {all: [{performed: {event: l00, last: 28d}}, {not: {\(left)}}]}}",
        ]
    }

    private static func tiered(_ number: Int) -> String {
        let tier = name("tier", number)
        let has = "property: {tier: \(tier)}"
        return number % 2 == 0
            ? "{id: \(tier), users: {\(has)}}"
            : "{id: \(tier), users: {all: [{\(has)}, {performed: {event: l00, last: 28d}}]}}"
    }

    private static let others: [String] =
        [
            performed("\"*\"", ", count: {gte: 100}"),
            performed("\"*\"", ", on_distinct: {interval: day, is: {gte: 10}}"),
            "inactive: {last: 14d}",
            "inactive: {last: 21d}",
            "new: {last: 28d}",
            "sequence: {steps: [{event: b00}, {event: b01}, {event: b02}], last: 14d}",
            "sequence: {steps: [{event: b03}, {event: b04}], within: 6h, last: 14d}",
            performed("b00", ", count: {gte: 5}"),
            performed("b01", ", sum: {property: price, is: {gte: 200}}"),
            performed("b02", ", avg: {property: price, is: {gte: 60}}"),
            performed("b03", ", max: {property: price, is: {gte: 95}}"),
            performed("b04", ", distinct: {property: category, is: {gte: 3}}"),
            performed("b05", ", where: {category: c03}"),
            performed("b06", ", where: {price: {gte: 50}}"),
            performed("b07", ", on_distinct: {interval: day, is: {gte: 2}}"),
            "all: [{\(performed("b08", ""))}, {not: {\(performed("b09", ""))}}]",
            "any: [{\(performed("b08", ", count: {gte: 3}"))}, {property: {tier: unheard-of}}]",
            "all: [{\(performed("b09", ", count: {gte: 2}"))}, {property: {tier: unheard-of}}]",
            "all: [{\(performed("b00", ""))}, {\(performed("b01", ""))}, {inactive: {last: 21d}}]",
        ].enumerated().map { "{id: \(name("other", $0)), users: {\($1)}}" } + [
            "{id: today, users: {performed: {event: v00, last: 1d, align: day}}}"
        ]

    private static func performed(_ type: String, _ mode: String) -> String {
        "performed: {event: \(type), last: 14d\(mode)}"
    }

    private static func name(_ prefix: String, _ number: Int) -> String {
        prefix + (number < 10 ? "0" : "") + String(number)
    }
}
