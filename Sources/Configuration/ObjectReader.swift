import YAML

/// Reads the documents of a folder's files: each is one object with an id of its own.
package struct ObjectReader<Object: Sendable> {
    private let kind: String
    private let idKey: String
    private var objects: [Object] = []
    private var problems: [ConfigurationProblem] = []
    private var owners: [String: ConfigurationProblem.Place] = [:]

    private init(kind: String, idKey: String) {
        self.kind = kind
        self.idKey = idKey
    }

    private var reading: ConfigurationReading<[Object]> {
        ConfigurationReading(
            value: objects,
            problems: problems,
            ids: owners.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        )
    }

    /// Reads all objects of `files`, in order.
    ///
    /// - Parameters:
    ///   - files: The files of one folder.
    ///   - kind: What such an object is called in messages.
    ///   - idKey: The key of the name that no two of them share.
    ///   - keys: The keys that it may have.
    ///   - object: Reads one document; nil for the object where something it needs could not be read.
    /// - Returns: The objects that could be read, in order, and every problem.
    package static func read(
        _ files: [ConfigurationFile],
        kind: String,
        idKey: String = "id",
        keys: [ConfigurationKey],
        _ object: (consuming Section, Findings) -> (id: String?, Object?)
    ) -> ConfigurationReading<[Object]> {
        var reader = ObjectReader(kind: kind, idKey: idKey)
        for file in files { reader.read(file, keys, object) }
        return reader.reading
    }

    private mutating func read(
        _ file: ConfigurationFile,
        _ keys: [ConfigurationKey],
        _ object: (consuming Section, Findings) -> (id: String?, Object?)
    ) {
        let (documents, documentProblems) = DocumentReader.read(file.bytes)
        problems += documentProblems.map { ConfigurationProblem(file: file.name, problem: $0) }
        for document in documents {
            let findings = Findings(
                places: Places(file: file.name, overrideNames: [], start: document.mark),
                keys: keys
            )
            let top = Section(path: "", node: document, findings: findings)
            let (id, value) = object(top, findings)
            problems += findings.sortedProblems
            if let id {
                let place = findings.places.place(of: idKey)
                if let owner = owners[id], case .file(let name, let mark) = owner {
                    problems.append(
                        ConfigurationProblem(
                            place: place,
                            code: .duplicateID,
                            text:
                                "\(idKey): \(kind) \"\(id)\" is defined at \(name):\(mark.line) already"
                        )
                    )
                    continue
                }
                owners[id] = place
            }
            if let value { objects.append(value) }
        }
    }
}
