import YAML

/// Translates one definition of Amplitude's and notes what it leaves out.
struct AmplitudeTranslator {
    /// Why a clause is left out.
    struct Untranslatable: Error {
        /// Behind the clause's own path: `.filters[0]`, empty for the clause.
        var place: String
        var mark: Mark
        var reason: String
    }

    private(set) var omissions: [AmplitudeImport.Omission] = []

    /// The clause that says who is in; nil where nothing is left of it.
    mutating func users(_ definition: Node, path: String) -> Node? {
        guard isForUsers(definition, path: path) else { return nil }
        // `orClauses` repeats `andClauses` where there is one group.
        if let groups = definition["orClauses"]?.list, groups.count > 1 {
            var alternatives: [Node] = []
            for (index, group) in groups.enumerated() {
                let path = "\(path)orClauses[\(index)]"
                guard let clauses = group.list else {
                    leaveOut(path, group.mark, "a list of clauses is expected")
                    continue
                }
                if let clause = all(clauses, path: path) { alternatives.append(clause) }
            }
            return Self.joined("any", alternatives)
        }
        guard let clauses = (definition["andClauses"] ?? definition["orClauses"]?.list?.first)?.list
        else {
            leaveOut(path + "andClauses", definition.mark, "a list of clauses is expected")
            return nil
        }
        if clauses.isEmpty {
            leaveOut(
                path + "andClauses",
                definition.mark,
                "the cohort is a list of users that is kept apart from its definition: upload it"
            )
            return .map([("uploaded", .flag(true))])
        }
        return all(clauses, path: path + "andClauses")
    }

    /// Whether the definition as a whole is one of users, of the usual kind.
    private mutating func isForUsers(_ definition: Node, path: String) -> Bool {
        let known = [
            "version", "countGroup", "cohortType", "andClauses", "orClauses",
            "referenceFrameTimeParams",
        ]
        let before = omissions.count
        if case .mapping(let pairs) = definition.value {
            for pair in pairs where !known.contains(pair.key) && !pair.value.isEmpty {
                leaveOut(path + pair.key, pair.keyMark, "this field is not known")
            }
        }
        if let group = definition["countGroup"] {
            let name = (group["name"] ?? group).text
            if name != "User" || group["is_computed"]?.boolean == true {
                leaveOut(path + "countGroup", group.mark, "only users can be counted, no groups")
            }
        }
        if let type = definition["cohortType"], type.text != "UNIQUES" {
            leaveOut(
                path + "cohortType",
                type.mark,
                "\(type.json.text) is not known, only UNIQUES is"
            )
        }
        if let frame = definition["referenceFrameTimeParams"], !frame.isEmpty {
            leaveOut(
                path + "referenceFrameTimeParams",
                frame.mark,
                "a time frame here is not known"
            )
        }
        return omissions.count == before
    }

    private mutating func leaveOut(_ path: String, _ mark: Mark, _ reason: String) {
        omissions.append(AmplitudeImport.Omission(path: path, mark: mark, reason: reason))
    }

    // MARK: All, any, not

    private mutating func all(_ groups: [Node], path: String) -> Node? {
        var clauses: [Node] = []
        for (index, group) in groups.enumerated() {
            if let clause = alternatives(group, path: "\(path)[\(index)]") {
                clauses.append(clause)
            }
        }
        return Self.joined("all", clauses)
    }

    /// One of `andClauses`: an OR, negated or not.
    private mutating func alternatives(_ group: Node, path: String) -> Node? {
        guard let alternatives = group["orClauses"]?.list, !alternatives.isEmpty else {
            leaveOut(path, group.mark, "orClauses with at least one clause is expected")
            return nil
        }
        if case .mapping(let pairs) = group.value {
            for pair in pairs
            where !["negated", "orClauses"].contains(pair.key) && !pair.value.isEmpty {
                leaveOut(path, pair.keyMark, "the field \(pair.key) is not known")
                return nil
            }
        }
        if let negated = group["negated"], negated.boolean == nil {
            leaveOut(path, negated.mark, "negated is true or false")
            return nil
        }
        var clauses: [Node] = []
        for (index, node) in alternatives.enumerated() {
            let path = "\(path).orClauses[\(index)]"
            do throws(Untranslatable) {
                clauses.append(try clause(node))
            } catch {
                leaveOut(path + error.place, error.mark, error.reason)
            }
        }
        guard let joined = Self.joined("any", clauses) else { return nil }
        return group["negated"]?.boolean == true ? .map([("not", joined)]) : joined
    }

    private static func joined(_ key: String, _ clauses: [Node]) -> Node? {
        clauses.count > 1 ? .map([(key, .list(clauses))]) : clauses.first
    }

    /// One clause, as our language takes it.
    private func clause(_ node: Node) throws(Untranslatable) -> Node {
        let clause: Node
        let fields = AmplitudeFields(node)
        switch node["type"]?.text {
        case "event": clause = try AmplitudeClauses.event(fields)
        case "new_active": clause = try AmplitudeClauses.newActive(fields)
        case "retention": clause = try AmplitudeClauses.retention(fields)
        case "distinct_interval": clause = try AmplitudeClauses.distinctInterval(fields)
        case let type?:
            throw Untranslatable(
                place: "",
                mark: node.mark,
                reason: "clauses of type \(type) are not known"
            )
        case nil: throw Untranslatable(place: "", mark: node.mark, reason: "a clause needs a type")
        }
        // Operands, durations and names have to be ones of our language.
        var reader = DefinitionReader(file: "")
        let whole = Node.map([("id", .text("a")), ("users", clause)])
        _ = reader.definition(whole) { _ in true }
        if let problem = reader.problems.first {
            let expected = problem.expected.map { " (expected \($0))" } ?? ""
            throw Untranslatable(place: "", mark: node.mark, reason: problem.text + expected)
        }
        return clause
    }
}

extension [UInt8] {
    /// The bytes as text.
    fileprivate var text: String { String(decoding: self, as: UTF8.self) }
}
