import Basics
import YAML

extension DefinitionReader {
    static let clauseKeys = [
        "all", "any", "not", "performed", "sequence", "active", "inactive", "new", "retained",
        "property",
        "had_property", "member_of", "predicted", "uploaded",
    ]

    /// A map with exactly one of the clause keys.
    mutating func clause(_ node: Node, depth: Int) -> Clause? {
        clauseCount += 1
        if clauseCount > Self.clausesMax {
            // Said once: the thousand and first is the one to look at.
            if clauseCount == Self.clausesMax + 1 {
                report(
                    .tooManyClauses,
                    node.mark,
                    "more than \(Self.clausesMax) clauses: split the cohort"
                )
            }
            return nil
        }
        if depth > Self.depthMax {
            report(
                .clausesTooDeep,
                node.mark,
                "clauses nest more than \(Self.depthMax) deep: use `member_of` for a part"
            )
            return nil
        }
        guard let fields = map(node, "a clause") else { return nil }
        refuseUnknownKeys(fields, known: Self.clauseKeys)
        let pairs = fields.all(of: Self.clauseKeys)
        for pair in pairs.dropFirst() {
            report(
                .conflictingKey,
                pair.keyMark,
                "`\(pair.key)` beside `\(pairs[0].key)`: a clause has one key, `all` joins several"
            )
        }
        var clauses: [Clause?] = []
        for pair in pairs {
            clauses.append(kind(pair, depth: depth).map { Clause(kind: $0, mark: pair.keyMark) })
        }
        return clauses.first ?? nil
    }

    private mutating func kind(_ pair: Node.Pair, depth: Int) -> Clause.Kind? {
        let node = pair.value
        switch pair.key {
        case "all": return clauses(node, "`all`", depth: depth).map { .all($0) }
        case "any": return clauses(node, "`any`", depth: depth).map { .any($0) }
        case "not": return clause(node, depth: depth + 1).map { .not($0) }
        case "performed": return performed(node, key: pair.keyMark).map { .performed($0) }
        case "sequence": return sequence(node, key: pair.keyMark).map { .sequence($0) }
        case "active": return window(of: pair).map { .active($0) }
        case "inactive": return window(of: pair).map { .inactive($0) }
        case "new": return window(of: pair).map { .new($0) }
        case "retained": return retained(node, key: pair.keyMark).map { .retained($0) }
        case "property": return propertyTests(node, "`property`").map { .property($0) }
        case "had_property": return hadProperty(node, key: pair.keyMark).map { .hadProperty($0) }
        case "member_of": return memberOf(node)
        case "predicted": return predicted(node).map { .predicted($0) }
        default: return uploaded(node)
        }
    }

    private mutating func clauses(_ node: Node, _ what: String, depth: Int) -> [Clause]? {
        guard let items = list(node, what) else { return nil }
        var clauses: [Clause] = []
        for item in items {
            if let clause = clause(item, depth: depth + 1) { clauses.append(clause) }
        }
        return clauses.count == items.count ? clauses : nil
    }

    /// `active`, `inactive` and `new`: a map of window keys, empty for any time.
    private mutating func window(of pair: Node.Pair) -> Window? {
        let what = "`\(pair.key)`"
        guard case .mapping = pair.value.value else {
            report(
                .wrongType,
                pair.value.mark,
                "\(what) is a map, not \(Self.kind(pair.value))",
                expected: "a window, or {} for any time"
            )
            return nil
        }
        guard let fields = map(pair.value, what, mayBeEmpty: true) else { return nil }
        refuseUnknownKeys(fields, known: Self.windowKeys)
        return window(fields, clause: pair.keyMark)
    }

    private mutating func memberOf(_ node: Node) -> Clause.Kind? {
        guard let id = text(node, "a cohort's id") else { return nil }
        guard Identifier.isValid(id) else {
            report(.badID, node.mark, "\"\(id.excerpt)\" is no id", expected: Identifier.grammar)
            return nil
        }
        references.append(Reference(id: id, mark: node.mark))
        return .memberOf(id)
    }

    private mutating func uploaded(_ node: Node) -> Clause.Kind? {
        guard let flag = boolean(node, "`uploaded`") else { return nil }
        guard flag else {
            report(
                .wrongType,
                node.mark,
                "`uploaded` is true or not there",
                expected: "not: {uploaded: true}"
            )
            return nil
        }
        return .uploaded
    }

    private mutating func predicted(_ node: Node) -> Predicted? {
        guard let fields = map(node, "`predicted`") else { return nil }
        let scores = ["percentile", "probability"]
        refuseUnknownKeys(fields, known: ["prediction"] + scores)
        var prediction: String?
        if let node = require("prediction", fields, "`predicted`"),
            let id = text(node, "a prediction's id")
        {
            if Identifier.isValid(id) {
                prediction = id
            } else {
                report(
                    .badID,
                    node.mark,
                    "\"\(id.excerpt)\" is no id",
                    expected: Identifier.grammar
                )
            }
        }
        let given = fields.all(of: scores)
        for pair in given.dropFirst() {
            report(
                .conflictingKey,
                pair.keyMark,
                "`\(pair.key)` beside `\(given[0].key)`: choose one"
            )
        }
        guard let score = given.first else {
            report(
                .missingKey,
                fields.mark,
                "`predicted` needs a score",
                expected: "percentile or probability"
            )
            return nil
        }
        guard let predicate = numberPredicate(score.value, "`\(score.key)`"), let prediction
        else { return nil }
        return Predicted(
            prediction: prediction,
            byPercentile: score.key == "percentile",
            predicate: predicate
        )
    }

    private mutating func hadProperty(_ node: Node, key: Mark) -> HadProperty? {
        guard let fields = map(node, "`had_property`") else { return nil }
        let reserved = ["mode"] + Self.windowKeys
        var own: [Node.Pair] = []
        var isGood = true
        for pair in fields.all(of: reserved) {
            guard case .mapping = pair.value.value else {
                own.append(pair)
                continue
            }
            // A predicate map here can only mean a property of that name.
            report(
                .reservedName,
                pair.keyMark,
                "`\(pair.key)` is a key of `had_property`: a property of that name cannot be asked for"
            )
            isGood = false
        }
        let ownFields = Fields(pairs: own, mark: fields.mark)
        var mode: String? = "any_time"
        if let pair = ownFields["mode"] {
            mode = word(pair.value, "`mode`", of: ["any_time", "most_recent"])
        }
        let window = window(ownFields, clause: key)
        let named = Fields(
            pairs: fields.pairs.filter { !reserved.contains($0.key) },
            mark: fields.mark
        )
        if named.pairs.isEmpty, isGood {
            report(.missingKey, fields.mark, "`had_property` needs a property")
            return nil
        }
        guard let tests = propertyTests(named), isGood, let mode, let window else { return nil }
        return HadProperty(tests: tests, mostRecent: mode == "most_recent", window: window)
    }
}
