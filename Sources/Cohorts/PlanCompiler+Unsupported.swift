import Basics
import Events
import YAML

extension PlanCompiler {
    private static let evaluated =
        "all any not performed(count, where, where_user) active inactive new property member_of,"
        + " without a window or with last and offset"

    /// Everything in the definition that ``compile(_:inactiveEvents:)`` does not take, in reading order.
    package static func unsupported(in definition: Definition) -> [Problem] {
        var found: [Problem] = []
        collect(definition.users) { mark, feature in
            found.append(
                Problem(
                    file: definition.file, mark: mark, code: .notYet,
                    text: "\(feature) is checked but not evaluated yet by this version",
                    expected: evaluated))
        }
        return found
    }

    private static func collect(_ clause: Clause, report: (Mark, String) -> Void) {
        switch clause.kind {
        case .all(let parts), .any(let parts):
            for part in parts { collect(part, report: report) }
        case .not(let part):
            collect(part, report: report)
        case .performed(let performed):
            check(performed, at: clause.mark, report: report)
        case .active(let window), .inactive(let window), .new(let window):
            check(window, report: report)
        case .property(let tests):
            check(tests, at: clause.mark, report: report)
        case .memberOf:
            break
        case .sequence: report(clause.mark, "sequence")
        case .retained: report(clause.mark, "retained")
        case .hadProperty: report(clause.mark, "had_property")
        case .predicted: report(clause.mark, "predicted")
        case .uploaded: report(clause.mark, "uploaded")
        }
    }

    private static func check(
        _ performed: Performed, at mark: Mark, report: (Mark, String) -> Void
    ) {
        switch performed.mode {
        case .count: break
        case .relative: report(performed.modeMark, "relative")
        case .sum: report(performed.modeMark, "sum")
        case .average: report(performed.modeMark, "avg")
        case .minimum: report(performed.modeMark, "min")
        case .maximum: report(performed.modeMark, "max")
        case .distinct: report(performed.modeMark, "distinct")
        case .nth: report(performed.modeMark, "nth")
        case .onDistinct: report(performed.modeMark, "on_distinct")
        }
        if !performed.same.isEmpty { report(performed.sameMark, "same") }
        check(performed.filter.whereEvent + performed.filter.whereUser, at: mark, report: report)
        check(performed.window, report: report)
    }

    private static func check(_ window: Window, report: (Mark, String) -> Void) {
        switch window.form {
        case .anyTime, .last: break
        case .aligned: report(window.mark, "align")
        case .dates(_, let to): report(window.mark, to == nil ? "since" : "between")
        case .instants(_, let to): report(window.mark, to == nil ? "since" : "between")
        case .withinFirst: report(window.mark, "within_first")
        }
    }

    private static func check(
        _ tests: [PropertyTest], at mark: Mark, report: (Mark, String) -> Void
    ) {
        for property in tests {
            for test in property.tests where !CompiledPropertyTest.isSupported(test) {
                let feature =
                    switch test.op {
                    case .greater, .greaterOrEqual, .less, .lessOrEqual, .between:
                        "a date with \(test.op.rawValue)"
                    default: test.op.rawValue
                    }
                report(mark, "\(feature) on \(property.name)")
            }
        }
    }
}
