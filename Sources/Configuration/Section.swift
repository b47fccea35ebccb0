import Basics
package import YAML

/// Reads the keys of one map: each into a place that holds its default, and afterwards refuses the rest.
///
/// The keys asked for are the keys known, so the code that reads a key is what makes it valid.
package struct Section {
    /// The path of the map in its document, empty for the document.
    package let path: String
    /// Where it begins.
    package let mark: Mark
    /// The path under which the table of keys has the map's keys: that of the map, but for maps that may
    /// stand in several places.
    private let table: String
    private let pairs: [Node.Pair]
    /// Whether it is a map at all; of another value nothing is asked.
    private let isMap: Bool
    private let findings: Findings
    private var asked: [String] = []

    /// The document itself, or a map in it.
    ///
    /// - Parameters:
    ///   - path: Where it stands, for messages.
    ///   - node: The map.
    ///   - findings: Receives problems and places.
    ///   - table: Where the table of keys has its keys; nil for the path.
    package init(path: String, node: Node, findings: Findings, table: String? = nil) {
        self.path = path
        self.table = table ?? path
        self.findings = findings
        mark = node.mark
        switch node.value {
        case .mapping(let pairs):
            self.pairs = pairs
            isMap = true
        case .null:
            // All keys of a section may be commented out.
            pairs = []
            isMap = true
        default:
            pairs = []
            isMap = false
            let what = path.isEmpty ? "" : "\(path): "
            findings.report(.badType, node.mark, "\(what)expected a map of keys, not \(node.kind)")
        }
    }

    /// The path of a key in the document.
    package func path(of key: String) -> String {
        path.isEmpty ? key : "\(path).\(key)"
    }

    /// The value of a key, and from now on the key is known.
    package mutating func node(_ key: String) -> Node? {
        if !asked.contains(key) { asked.append(key) }
        guard let pair = pairs.first(where: { $0.key == key }) else { return nil }
        findings.note(path(of: key), pair.value.mark)
        return pair.value
    }

    /// Reads a key if it is given; otherwise `target` keeps its default.
    package mutating func read<Value: Equatable>(
        _ key: String,
        into target: inout Value,
        _ reader: ValueReader<Value>
    ) {
        let known = row(key)
        guard let node = node(key) else { return }
        guard let value = take(node, at: path(of: key), reader) else { return }
        if known.stage != .works, value != target {
            notYet(known, node)
        } else {
            target = value
        }
    }

    /// Reads a key that must be given.
    package mutating func required<Value>(_ key: String, _ reader: ValueReader<Value>) -> Value? {
        let known = row(key)
        guard let node = node(key) else {
            if isMap {
                findings.report(
                    .missingKey,
                    mark,
                    "\(path(of: key)) is missing (expected \(known.values))"
                )
            }
            return nil
        }
        return take(node, at: path(of: key), reader)
    }

    /// Reads a key that may be absent; nil also where it cannot be taken, which is reported.
    package mutating func optional<Value>(_ key: String, _ reader: ValueReader<Value>) -> Value? {
        _ = row(key)
        guard let node = node(key) else { return nil }
        return take(node, at: path(of: key), reader)
    }

    /// Reads a list; every element that cannot be taken is reported.
    package mutating func list<Value: Hashable>(
        _ key: String,
        into target: inout [Value],
        _ reader: ValueReader<Value>
    ) {
        let known = row(key)
        guard let node = node(key) else { return }
        guard case .sequence(let nodes) = node.value else {
            let hint = Override.index(of: node.mark) == nil ? "" : " as JSON, such as [\"a\"]"
            findings.report(
                .badType,
                node.mark,
                "\(path(of: key)): expected a list\(hint), not \(node.kind)"
            )
            return
        }
        var values: [Value] = []
        for (index, element) in nodes.enumerated() {
            let path = "\(path(of: key))[\(index)]"
            findings.note(path, element.mark)
            guard let value = take(element, at: path, reader) else { continue }
            if values.contains(value) {
                findings.report(.conflict, element.mark, "\(path): \(element.kind) is given twice")
            } else {
                values.append(value)
            }
        }
        if known.stage != .works, values != target || values.count != nodes.count {
            notYet(known, node)
        } else {
            target = values
        }
    }

    /// Reads a list that must be given and hold something.
    mutating func requiredList<Value: Hashable>(
        _ key: String,
        _ reader: ValueReader<Value>
    ) -> [Value] {
        let problems = findings.problemCount
        var values: [Value] = []
        list(key, into: &values, reader)
        if isMap, values.isEmpty, findings.problemCount == problems {
            findings.report(
                .missingKey,
                mark,
                "\(path(of: key)) is missing or empty (expected \(row(key).values))"
            )
        }
        return values
    }

    /// The maps of a list; none where it is not given, or where an element is no map, which is reported.
    ///
    /// The table of keys has the keys of all of them under the path of the list.
    mutating func sections(_ key: String) -> [Section] {
        let known = row(key)
        guard let node = node(key) else { return [] }
        guard case .sequence(let nodes) = node.value else {
            findings.report(.badType, node.mark, "\(known.path): expected a list, not \(node.kind)")
            return []
        }
        return nodes.enumerated().map { index, element in
            Section(
                path: "\(path(of: key))[\(index)]",
                node: element,
                findings: findings,
                table: row(of: key)
            )
        }
    }

    /// A map below this one; an empty one where it is not given.
    package mutating func section(_ key: String) -> Section {
        let node = node(key) ?? Node(value: .mapping([]), mark: mark)
        return Section(path: path(of: key), node: node, findings: findings, table: row(of: key))
    }

    /// A map below this one; nil where it is not given.
    ///
    /// - Parameters:
    ///   - key: The key.
    ///   - table: Where the table of keys has the map's keys; nil for below this one's.
    /// - Returns: The map, or nothing.
    package mutating func sectionIfGiven(_ key: String, table: String? = nil) -> Section? {
        node(key).map {
            Section(
                path: path(of: key),
                node: $0,
                findings: findings,
                table: table ?? row(of: key)
            )
        }
    }

    /// How many problems there are so far in the whole document.
    var problemCount: Int { findings.problemCount }

    /// Reports a problem with a value that was read.
    package func report(_ code: ConfigurationProblem.Code, _ node: Node, _ text: String) {
        findings.report(code, node.mark, text)
    }

    /// Reports a problem with a key.
    package func report(_ code: ConfigurationProblem.Code, at mark: Mark, _ text: String) {
        findings.report(code, mark, text)
    }

    /// The pairs, for a map whose keys are open; they are not checked by ``finish()``.
    package mutating func openPairs() -> [Node.Pair] {
        asked += pairs.map(\.key)
        for pair in pairs { findings.note(path(of: pair.key), pair.value.mark) }
        return pairs
    }

    /// Refuses every key that nobody asked for.
    package consuming func finish() {
        for pair in pairs where !asked.contains(pair.key) {
            let place = path.isEmpty ? "" : " in \(path)"
            findings.report(
                .unknownKey,
                pair.keyMark,
                "unknown key \"\(pair.key)\"\(place) (\(remedy(for: pair.key)))"
            )
        }
    }

    private func remedy(for key: String) -> String {
        if let near = Suggestion.nearest(to: key, among: asked) {
            return "did you mean \"\(near)\"?"
        }
        // A key in the wrong section is as common as a mistyped one.
        let last = { (path: String) in path.split(separator: ".").last.map(String.init) ?? path }
        let paths = findings.keys.keys.sorted { $0.precedesByBytes($1) }
        if let elsewhere = paths.first(where: { last($0) == key && $0 != row(of: key) }) {
            return "did you mean \"\(elsewhere)\"?"
        }
        return "known keys: \(asked.joined(separator: ", "))"
    }

    private func row(_ key: String) -> ConfigurationKey {
        guard let row = findings.keys[row(of: key)] else {
            preconditionFailure("\(row(of: key)) is not in the table of keys")
        }
        return row
    }

    /// The path of a key in the table of keys.
    private func row(of key: String) -> String {
        table.isEmpty ? key : "\(table).\(key)"
    }

    private func take<Value>(_ node: Node, at path: String, _ reader: ValueReader<Value>) -> Value?
    {
        do {
            return try reader.read(node)
        } catch {
            findings.report(error.code, node.mark, "\(path): \(error.text)")
            return nil
        }
    }

    private func notYet(_ known: ConfigurationKey, _ node: Node) {
        findings.report(
            .notYet,
            node.mark,
            "\(known.path): not yet: this version takes only the default, \(known.fallback)"
        )
    }
}
