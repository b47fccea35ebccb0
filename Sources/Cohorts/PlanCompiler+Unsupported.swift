import Basics
import Events
import YAML

extension PlanCompiler {
    /// Everything in the definition that ``compile(_:_:)`` does not take, in reading order.
    /// - Returns: A problem for each, with its place.
    public static func unsupported(in definition: Definition) -> [Problem] {
        var found: [Problem] = []
        collect(definition.users) { mark, feature in
            found.append(
                Problem(
                    file: definition.file,
                    mark: mark,
                    code: .notYet,
                    text: "\(feature) is checked but not evaluated yet by this version"
                )
            )
        }
        return found
    }

    private static func collect(_ clause: Clause, report: (Mark, String) -> Void) {
        switch clause.kind {
        case .all(let parts), .any(let parts):
            for part in parts { collect(part, report: report) }
        case .not(let part): collect(part, report: report)
        case .predicted: report(clause.mark, "predicted")
        default: break
        }
    }
}
