public import YAML

/// Turns cohorts of Amplitude into definitions of our language.
///
/// What is read: a definition of version 3, a cohort object that holds one as `definition`, or a list of such
/// objects as `GET /api/3/cohorts` answers. A clause is translated as a whole or left out and named, never
/// weakened: a field that is not known may change what the clause means. The field names are those of
/// Amplitude's Behavioral Cohorts API; what was chosen where it does not say: docs/cohorts.md, "Imports".
public enum AmplitudeImport {
    /// Something that could not be translated.
    public struct Omission: Equatable, Sendable {
        /// Where it stands in Amplitude's JSON: `andClauses[0].orClauses[1]`.
        public var path: String
        /// Where it stands in the file.
        public var mark: Mark
        /// Why.
        public var reason: String

        /// Path and reason on one line that a terminal shows and does not obey.
        public var description: String { Problem.escaped("\(path): \(reason)") }

        /// The line for stderr.
        public func line(in file: String) -> String {
            Problem.escaped("\(file):\(mark.line):\(mark.column): left out \(path): \(reason)")
        }
    }

    /// One cohort's translation.
    public struct Cohort: Sendable {
        /// The definition; nil where nothing of it could be translated.
        public var document: Node?
        /// What is missing in it.
        public var omissions: [Omission]
    }

    /// Why a file is no definition of Amplitude's at all.
    public struct NotAmplitude: Error, Equatable {
        /// Where.
        public var mark: Mark
        /// What was expected.
        public var text: String

        /// The line for stderr.
        public func line(in file: String) -> String {
            Problem.escaped("\(file):\(mark.line):\(mark.column): error: \(text)")
        }
    }

    /// Translates every cohort of a file.
    ///
    /// - `bytes`: The file.
    /// - `fallbackID`: What a cohort without a usable name is called.
    ///
    /// Gives the cohorts in the order of the file, with ids unique among them.
    public static func cohorts(
        in bytes: [UInt8],
        fallbackID: String
    ) throws(NotAmplitude) -> [Cohort] {
        let (documents, problems) = DocumentReader.read(bytes)
        if let problem = problems.first {
            throw NotAmplitude(mark: problem.mark, text: "it is no JSON: \(problem.text)")
        }
        guard let document = documents.first, documents.count == 1 else {
            throw NotAmplitude(
                mark: .start,
                text: "one JSON value is expected, not \(documents.count)"
            )
        }
        var ids: Set<String> = []
        var cohorts: [Cohort] = []
        for entry in try entries(document) {
            var id = slug(entry.name) ?? slug(fallbackID) ?? "imported"
            var number = 2
            let first = id
            while !ids.insert(id).inserted {
                let suffix = "-\(number)"
                id = first.prefix(idCharactersMax - suffix.count) + suffix
                number += 1
            }
            cohorts.append(cohort(entry, id: id))
        }
        return cohorts
    }

    /// The cohorts as one file of definitions; what is missing stands in comments above each.
    public static func yaml(_ cohorts: [Cohort]) -> String {
        cohorts.map { cohort in
            let comments = cohort.omissions.map { "# left out \($0.description)\n" }.joined()
            return comments + (cohort.document?.yaml ?? "")
        }.joined(separator: "---\n")
    }

    /// A definition with what is said of it outside.
    private struct Entry {
        var definition: Node
        var path: String
        var name = ""
        var description = ""
    }

    private static func entries(_ document: Node) throws(NotAmplitude) -> [Entry] {
        if document["andClauses"] != nil { return [try entry(definition: document, path: "")] }
        if document["definition"] != nil { return [try entry(cohort: document, path: "")] }
        var list = document
        var path = ""
        if let cohorts = document["cohorts"] { (list, path) = (cohorts, "cohorts") }
        guard case .sequence(let nodes) = list.value, !nodes.isEmpty else {
            throw NotAmplitude(
                mark: document.mark,
                text:
                    "a definition with andClauses, a cohort with definition, or cohorts is expected"
            )
        }
        var entries: [Entry] = []
        for (index, node) in nodes.enumerated() {
            entries.append(try entry(cohort: node, path: "\(path)[\(index)]."))
        }
        return entries
    }

    private static func entry(cohort: Node, path: String) throws(NotAmplitude) -> Entry {
        guard let definition = cohort["definition"] else {
            throw NotAmplitude(mark: cohort.mark, text: "a cohort needs its definition")
        }
        var entry = try entry(definition: definition, path: "\(path)definition.")
        entry.name = cohort["name"]?.text ?? ""
        entry.description = cohort["description"]?.text ?? ""
        return entry
    }

    private static func entry(definition: Node, path: String) throws(NotAmplitude) -> Entry {
        guard definition["andClauses"] != nil || definition["orClauses"] != nil else {
            throw NotAmplitude(mark: definition.mark, text: "a definition needs andClauses")
        }
        if let version = definition["version"], version.integer != 3 {
            throw NotAmplitude(
                mark: version.mark,
                text: "version 3 of a definition is expected, not \(version.source)"
            )
        }
        return Entry(definition: definition, path: path)
    }

    private static func cohort(_ entry: Entry, id: String) -> Cohort {
        var translator = AmplitudeTranslator()
        let users = translator.users(entry.definition, path: entry.path)
        guard let users else { return Cohort(document: nil, omissions: translator.omissions) }
        var pairs = [("id", Node.text(id))]
        if !entry.name.isEmpty { pairs.append(("name", .text(entry.name))) }
        if !entry.description.isEmpty { pairs.append(("description", .text(entry.description))) }
        pairs.append(("users", users))
        return Cohort(document: .map(pairs), omissions: translator.omissions)
    }

    /// A name as an id: lower-case letters and digits, everything else a dash; nil where nothing is left.
    private static func slug(_ name: String) -> String? {
        var slug: [UInt8] = []
        for byte in name.lowercased().utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                slug.append(byte)
            case UInt8(ascii: "'"), 0x80...: break
            default: if let last = slug.last, last != dash { slug.append(dash) }
            }
        }
        slug = Array(slug.prefix(idCharactersMax))
        while slug.last == dash { slug.removeLast() }
        return slug.isEmpty ? nil : String(decoding: slug, as: UTF8.self)
    }

    /// The longest id of a definition.
    private static let idCharactersMax = 64
    private static let dash = UInt8(ascii: "-")
}
