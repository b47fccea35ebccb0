package import Basics
import Cohorts
import YAML

extension FuzzBodies {
    private static let settings = PlanSettings(
        inactiveEvents: ["ping"],
        zones: ["Europe/Berlin": berlin]
    )

    /// Berlin by the rule of today, in all years.
    private static let berlin: TimeZoneRules = {
        // Both blocks of a TZif file have no transition, one type of local time, and its name of one byte.
        let block =
            Array("TZif2".utf8) + Array(repeating: 0, count: 31) + [0, 0, 0, 1, 0, 0, 0, 1]
            + Array(repeating: 0, count: 7)
        let bytes = block + block + Array("\nCET-1CEST,M3.5.0,M10.5.0/3\n".utf8)
        do throws(TimeZoneRules.Malformed) {
            return try bytes.withByteView { (view) throws(TimeZoneRules.Malformed) in
                try TimeZoneRules(tzif: view)
            }
        } catch {
            fatalError(error.text)
        }
    }()

    /// Takes the input as a file of definitions, and as one of Amplitude's.
    ///
    /// Claims: a file has problems or definitions; each problem has a place in the file and a text of one line;
    /// a document that is printed, as JSON or as YAML, reads the same; what is good can be compiled, and its
    /// print compiles to the same; what is imported is good.
    package static func parseDefinitions(_ bytes: ByteView) {
        let bytes = bytes.array
        let places = Places(bytes)
        let (definitions, problems) = parse(bytes)
        for problem in problems {
            claim(places.contains(problem.mark), "\(problem)")
            claim(!problem.text.isEmpty && !problem.description.contains("\n"), "\(problem)")
        }
        printAgain(bytes)
        if problems.isEmpty { compile(definitions) }
        importAmplitude(bytes, places)
    }

    private static func parse(_ bytes: [UInt8]) -> (definitions: [Definition], problems: [Problem])
    {
        DefinitionParser.parse(
            [DefinitionSource(name: "input.yaml", bytes: bytes)],
            isTimeZone: { $0 == "UTC" || $0.contains("/") }
        )
    }

    /// The places of a file.
    private struct Places {
        /// Where each line ends: the column behind its last scalar.
        private var ends = [1]

        /// Counts lines in a way of its own; a file that is no UTF-8 is counted as far as it is.
        init(_ bytes: [UInt8]) {
            var text = String(decoding: bytes, as: UTF8.self).unicodeScalars[...]
            if text.first == "\u{feff}" { text.removeFirst() }
            var isAfterReturn = false
            for scalar in text {
                switch scalar {
                case "\n" where isAfterReturn: break
                case "\n", "\r": ends.append(1)
                default: ends[ends.count - 1] += 1
                }
                isAfterReturn = scalar == "\r"
            }
        }

        func contains(_ mark: Mark) -> Bool {
            (1...ends.count).contains(mark.line)
                && (1...ends[mark.line - 1]).contains(mark.column)
        }
    }

    private static func printAgain(_ bytes: [UInt8]) {
        let (documents, problems) = DocumentReader.read(bytes)
        guard problems.isEmpty else { return }
        for document in documents where isPrintable(document) {
            let (again, problems) = DocumentReader.read(Array(document.yaml.utf8))
            claim(problems.isEmpty, "as YAML: \(problems)\n\(document.yaml)")
            // A document that is nothing at all is left out.
            claim(
                again.first?.json == document.json || again.isEmpty,
                "as YAML:\n\(document.yaml)"
            )
        }
    }

    /// libyaml takes no keys beyond 1,024 characters, JSON does; JSON has no infinite numbers, YAML does.
    private static func isPrintable(_ node: Node) -> Bool {
        switch node.value {
        case .double(let number): number.isFinite
        case .sequence(let nodes): nodes.allSatisfy(isPrintable)
        case .mapping(let pairs):
            pairs.allSatisfy { $0.key.unicodeScalars.count < 100 && isPrintable($0.value) }
        default: true
        }
    }

    private static func compile(_ definitions: [Definition]) {
        let identities = identities(of: definitions)
        var files = [definitions.map { $0.document.json }]
        if definitions.allSatisfy({ isPrintable($0.document) }) {
            files.append(definitions.map { Array($0.document.yaml.utf8) })
        }
        for documents in files {
            let printed = Array(documents.joined(separator: Array("\n---\n".utf8)))
            let (again, problems) = parse(printed)
            claim(
                problems.isEmpty && Self.identities(of: again) == identities,
                "printed: \(problems)\n\(String(decoding: printed, as: UTF8.self))"
            )
        }
    }

    /// What tells the compiled definitions from others; nil where one cannot be evaluated yet.
    private static func identities(of definitions: [Definition]) -> [UInt64]? {
        guard definitions.allSatisfy({ PlanCompiler.unsupported(in: $0).isEmpty }) else {
            return nil
        }
        return PlanCompiler.compile(definitions, settings).cohorts.map(\.identity)
    }

    private static func importAmplitude(_ bytes: [UInt8], _ places: Places) {
        let cohorts: [AmplitudeImport.Cohort]
        do throws(AmplitudeImport.NotAmplitude) {
            cohorts = try AmplitudeImport.cohorts(in: bytes, fallbackID: "input")
        } catch {
            claim(places.contains(error.mark), "\(error)")
            claim(!error.line(in: "input.json").contains("\n"), "\(error)")
            return
        }
        for omission in cohorts.flatMap(\.omissions) {
            claim(places.contains(omission.mark), "\(omission)")
            claim(!omission.line(in: "input.json").contains("\n"), "\(omission)")
        }
        let yaml = AmplitudeImport.yaml(cohorts)
        let (definitions, problems) = parse(Array(yaml.utf8))
        claim(
            problems.isEmpty && definitions.count == cohorts.compactMap(\.document).count,
            "imported: \(problems)\n\(yaml)"
        )
    }
}
