import Basics
import Events
import YAML

extension PlanCompiler {
    /// Everything in the definition that ``compile(_:_:)`` does not take, in reading order.
    /// - Parameters:
    ///   - definition: A checked definition.
    ///   - takesUploads: Whether the caller has a way to upload members.
    /// - Returns: A problem for each, with its place.
    package static func unsupported(
        in definition: Definition,
        takesUploads: Bool = true
    ) -> [Problem] {
        var found: [Problem] = []
        collect(definition.users) { mark, feature in
            if feature == "uploaded", takesUploads { return }
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
        case .uploaded: report(clause.mark, "uploaded")
        default: break
        }
    }
}
