package import Basics
import Cohorts
import YAML

extension FuzzBodies {
    private static let zones: Set<String> = ["UTC", "Europe/Berlin"]

    /// Takes the input as a file of definitions, and as one of Amplitude's.
    ///
    /// Claims: a file has problems or definitions; each problem has a place and a text of one line; what was
    /// read and is printed, as JSON or as YAML, reads the same; what is good can be compiled; what is imported
    /// is good.
    package static func parseDefinitions(_ bytes: ByteView) {
        let bytes = bytes.array
        let (definitions, problems) = parse(bytes)
        for problem in problems {
            precondition(problem.mark.line >= 1 && problem.mark.column >= 1, "\(problem)")
            precondition(!problem.text.isEmpty && !problem.description.contains("\n"), "\(problem)")
        }
        printAgain(bytes)
        if problems.isEmpty {
            for definition in definitions {
                let (again, problems) = parse(definition.document.json)
                let isReference = problems.allSatisfy { $0.code == .unknownID }
                precondition(isReference && again.count == 1, "as JSON: \(problems)")
            }
            _ = PlanCompiler.compile(definitions, PlanSettings())
        }
        importAmplitude(bytes)
    }

    private static func parse(_ bytes: [UInt8]) -> (definitions: [Definition], problems: [Problem])
    {
        DefinitionParser.parse(
            [DefinitionSource(name: "input.yaml", bytes: bytes)],
            isTimeZone: zones.contains
        )
    }

    private static func printAgain(_ bytes: [UInt8]) {
        let (documents, problems) = DocumentReader.read(bytes)
        guard problems.isEmpty else { return }
        for document in documents where isPrintable(document) {
            let (again, problems) = DocumentReader.read(Array(document.yaml.utf8))
            precondition(problems.isEmpty, "as YAML: \(problems)\n\(document.yaml)")
            // A document that is nothing at all is left out.
            precondition(
                again.first?.json == document.json || again.isEmpty,
                "as YAML:\n\(document.yaml)"
            )
        }
    }

    /// libyaml takes no keys beyond 1,024 characters, and no deep flow; JSON does.
    private static func isPrintable(_ node: Node) -> Bool {
        switch node.value {
        case .sequence(let nodes): nodes.allSatisfy(isPrintable)
        case .mapping(let pairs):
            pairs.allSatisfy { $0.key.unicodeScalars.count < 100 && isPrintable($0.value) }
        default: true
        }
    }

    private static func importAmplitude(_ bytes: [UInt8]) {
        let cohorts: [AmplitudeImport.Cohort]
        do throws(AmplitudeImport.NotAmplitude) {
            cohorts = try AmplitudeImport.cohorts(in: bytes, fallbackID: "input")
        } catch {
            precondition(!error.text.isEmpty, "no reason")
            return
        }
        let (_, problems) = parse(Array(AmplitudeImport.yaml(cohorts).utf8))
        precondition(problems.isEmpty, "imported: \(problems)\n\(AmplitudeImport.yaml(cohorts))")
    }
}
