import Basics
import YAML

/// Reads and checks sets of definitions: every rule of docs/cohorts.md, every problem at once.
public enum DefinitionParser {
    /// Reads all definitions of all sources and checks them as one set.
    ///
    /// - Parameters:
    ///   - sources: The files, in the order in which problems are wanted.
    ///   - isTimeZone: Whether a zone of that name exists.
    /// - Returns: The definitions without problems, in the order written, and the problems by source and
    ///   place. The set is good only if there are no problems; nothing of it may be used otherwise.
    public static func parse(
        _ sources: [DefinitionSource],
        isTimeZone: (String) -> Bool
    ) -> (definitions: [Definition], problems: [Problem]) {
        var set = DefinitionSet()
        for source in sources {
            let (documents, problems) = DocumentReader.read(source.bytes)
            set.add(documents, problems, file: source.name, isTimeZone: isTimeZone)
        }
        return set.checked()
    }
}

/// The definitions of several files on their way through the checks that need all of them.
private struct DefinitionSet {
    /// A document and what was found in it.
    private struct Entry {
        var file: String
        var id: (text: String, mark: Mark)?
        var references: [DefinitionReader.Reference]
        var definition: Definition?
    }

    private var entries: [Entry] = []
    private var problems: [Problem] = []
    /// In the order in which problems are shown.
    private var files: [String] = []
    /// Whether a document could not be read, so that an id may be missing for that reason alone.
    private var isIncomplete = false

    mutating func add(
        _ documents: [Node],
        _ found: [DocumentProblem],
        file: String,
        isTimeZone: (String) -> Bool
    ) {
        files.append(file)
        problems += found.map { problem in
            Problem(
                file: file,
                mark: problem.mark,
                code: ProblemCode(problem.code),
                text: problem.text
            )
        }
        isIncomplete = isIncomplete || found.contains { $0.losesDocument }
        for document in documents {
            var reader = DefinitionReader(file: file)
            let definition = reader.definition(document, isTimeZone: isTimeZone)
            problems += reader.problems
            entries.append(
                Entry(
                    file: file,
                    id: reader.id,
                    references: reader.references,
                    definition: definition
                )
            )
        }
    }

    /// The answer, after the checks across definitions.
    mutating func checked() -> (definitions: [Definition], problems: [Problem]) {
        var indexOfID: [String: Int] = [:]
        for (index, entry) in entries.enumerated() {
            guard let id = entry.id else { continue }
            if let first = indexOfID[id.text], let place = entries[first].id?.mark {
                let taken = "\(entries[first].file):\(place.line):\(place.column)"
                report(
                    entry.file,
                    id.mark,
                    .duplicateID,
                    "the id \"\(id.text)\" is taken by \(taken)"
                )
            } else {
                indexOfID[id.text] = index
            }
        }
        let known = indexOfID.keys.sorted { $0.precedesByBytes($1) }
        for entry in entries where !isIncomplete {
            for reference in entry.references where indexOfID[reference.id] == nil {
                problems.append(
                    Problem(
                        file: entry.file,
                        mark: reference.mark,
                        code: .unknownID,
                        text: "there is no cohort \"\(reference.id)\"",
                        suggestion: Suggestion.nearest(to: reference.id, among: known)
                    )
                )
            }
        }
        reportCycles(indexOfID)
        return (entries.compactMap(\.definition), sorted())
    }

    private mutating func report(_ file: String, _ mark: Mark, _ code: ProblemCode, _ text: String)
    {
        problems.append(Problem(file: file, mark: mark, code: code, text: text))
    }

    /// Goes along the references, depth first and without recursion, and reports each that leads back to a
    /// cohort it came from.
    private mutating func reportCycles(_ indexOfID: [String: Int]) {
        var isDone = Array(repeating: false, count: entries.count)
        var depthOnPath: [Int?] = Array(repeating: nil, count: entries.count)
        for start in entries.indices where !isDone[start] {
            // The path from `start`: which entry, and which of its references comes next.
            var path: [(entry: Int, next: Int)] = [(start, 0)]
            depthOnPath[start] = 0
            while let step = path.last {
                let references = entries[step.entry].references
                guard step.next < references.count else {
                    isDone[step.entry] = true
                    depthOnPath[step.entry] = nil
                    path.removeLast()
                    continue
                }
                path[path.count - 1].next += 1
                let reference = references[step.next]
                guard let target = indexOfID[reference.id], !isDone[target] else { continue }
                if let depth = depthOnPath[target] {
                    let names = (path[depth...].map(\.entry) + [target]).map {
                        entries[$0].id?.text ?? ""
                    }
                    report(
                        entries[step.entry].file,
                        reference.mark,
                        .cycle,
                        "cohorts that are members of each other: \(names.joined(separator: " → "))"
                    )
                } else {
                    depthOnPath[target] = path.count
                    path.append((target, 0))
                }
            }
        }
    }

    /// The problems by file, in the order of the files, then by place.
    private func sorted() -> [Problem] {
        var rank: [String: Int] = [:]
        for file in files where rank[file] == nil { rank[file] = rank.count }
        return problems.enumerated().sorted { left, right in
            let keys = [left, right].map { (index, problem) in
                (rank[problem.file] ?? 0, problem.mark.line, problem.mark.column, index)
            }
            return keys[0] < keys[1]
        }.map(\.element)
    }
}
