import YAML

/// Reads the documents of a folder's files: each is one object with an id of its own.
struct ObjectReader<Object: Sendable> {
    /// What reading one document gave.
    struct Piece {
        var id: String?
        /// Nil where something it needs could not be read.
        var value: Object?
        var places: Places
        var problems: [ConfigurationProblem]
    }

    /// What it is called in messages.
    let kind: String
    private var objects: [Object] = []
    private var problems: [ConfigurationProblem] = []
    private var owners: [String: ConfigurationProblem.Place] = [:]

    init(kind: String) {
        self.kind = kind
    }

    var reading: ConfigurationReading<[Object]> {
        ConfigurationReading(
            value: objects,
            problems: problems,
            ids: owners.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        )
    }

    mutating func read(_ files: [ConfigurationFile], _ body: (Node, String) -> Piece) {
        for file in files {
            let (documents, documentProblems) = DocumentReader.read(file.bytes)
            problems += documentProblems.map { ConfigurationProblem(file: file.name, problem: $0) }
            for document in documents {
                let piece = body(document, file.name)
                problems += piece.problems
                if let id = piece.id {
                    let place = piece.places.place(of: "id")
                    if let owner = owners[id], case .file(let name, let mark) = owner {
                        problems.append(
                            ConfigurationProblem(
                                place: place,
                                code: .duplicateID,
                                text:
                                    "id: \(kind) \"\(id)\" is defined at \(name):\(mark.line) already"
                            )
                        )
                        continue
                    }
                    owners[id] = place
                }
                if let value = piece.value { objects.append(value) }
            }
        }
    }
}
