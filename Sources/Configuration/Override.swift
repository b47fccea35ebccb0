import YAML

/// A value that goes over that of the file: one `--set PATH=VALUE`, or a variable `COHORTD_…`.
package struct Override: Hashable, Sendable {
    /// `kafka.topic`; all after `kafka.properties.` is one name of librdkafka's.
    package var path: String
    /// A scalar as written, or a list as JSON.
    package var value: String
    /// What problems with it are said of: `--set PATH`, or the name of the variable.
    package var name: String

    /// Reads `PATH=VALUE`.
    ///
    /// - Throws: What is wrong with the argument; a usage error.
    package init(argument: String) throws(OverrideError) {
        guard let equals = argument.firstIndex(of: "=") else {
            throw OverrideError(argument: argument, text: "expected PATH=VALUE, such as tick=10s")
        }
        path = String(argument[..<equals])
        value = String(argument[argument.index(after: equals)...])
        name = "--set \(path)"
        if components.contains("") {
            throw OverrideError(
                argument: argument,
                text: "a path is names with dots between, such as kafka.topic"
            )
        }
    }

    /// The value of a variable of the environment.
    init(variable: String, path: String, value: String) {
        name = variable
        self.path = path
        self.value = value
    }

    /// The names of the path.
    var components: [String] {
        let prefix = "kafka.properties."
        if path.hasPrefix(prefix) {
            return ["kafka", "properties", String(path.dropFirst(prefix.count))]
        }
        return path.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    }

    // Values of overrides live in the tree of the file; a mark that no file can have tells them apart.

    /// The mark of the override number `index`.
    static func mark(index: Int) -> Mark {
        Mark(line: -1 - index, column: 0)
    }

    /// The number of the override that a mark stands for; nil for a place in a file.
    static func index(of mark: Mark) -> Int? {
        mark.line < 0 ? -1 - mark.line : nil
    }

    /// A document with the overrides put in, later ones over earlier ones.
    ///
    /// - Parameters:
    ///   - overrides: In the order given.
    ///   - document: A map, or what is there instead of one.
    ///   - complain: Told of an override that runs into a value that is no map.
    /// - Returns: The document as it is to be read.
    static func layer(
        _ overrides: [Override],
        over document: Node,
        complain: (Mark, String) -> Void
    ) -> Node {
        var document = document
        for (index, override) in overrides.enumerated() {
            let mark = mark(index: index)
            let value = override.node(mark: mark)
            do throws(BlockedPath) {
                document = try document.replacing(
                    override.components[...],
                    with: value,
                    mark: mark,
                    below: "the document"
                )
            } catch {
                complain(mark, "\(error.name) is no map: it holds \(error.node.kind)")
            }
        }
        return document
    }

    private func node(mark: Mark) -> Node {
        if value.hasPrefix("[") {
            let (documents, problems) = DocumentReader.read(Array(value.utf8))
            if problems.isEmpty, documents.count == 1, case .sequence = documents[0].value {
                return documents[0].marked(mark)
            }
        }
        let scalar: Node.Value =
            if let integer = Int64(value) {
                .integer(integer)
            } else if let number = Double(value), number.isFinite {
                .double(number)
            } else if value == "true" || value == "false" {
                .boolean(value == "true")
            } else {
                .text(value)
            }
        return Node(value: scalar, mark: mark, source: value)
    }
}

/// A `--set` that is no `PATH=VALUE`.
package struct OverrideError: Error, Equatable, CustomStringConvertible {
    /// What was given.
    package var argument: String
    /// What is wrong with it.
    package var text: String

    /// As it is printed: `--set ARGUMENT: text`.
    package var description: String { "--set \(argument): \(text)" }
}

/// A path that goes on where a value is no map.
private struct BlockedPath: Error {
    var name: String
    var node: Node
}

extension Node {
    /// The tree with the value at a path replaced or added.
    fileprivate func replacing(
        _ path: ArraySlice<String>,
        with value: Node,
        mark: Mark,
        below parent: String
    ) throws(BlockedPath) -> Node {
        guard let name = path.first else { return value }
        var pairs: [Pair]
        switch self.value {
        case .mapping(let known): pairs = known
        case .null: pairs = []
        default: throw BlockedPath(name: parent, node: self)
        }
        let rest = path.dropFirst()
        if let index = pairs.firstIndex(where: { $0.key == name }) {
            pairs[index].value = try pairs[index].value.replacing(
                rest,
                with: value,
                mark: mark,
                below: "\"\(name)\""
            )
        } else {
            let empty = Node(value: .mapping([]), mark: mark)
            let child = try empty.replacing(rest, with: value, mark: mark, below: "\"\(name)\"")
            pairs.append(Pair(key: name, keyMark: mark, value: child))
        }
        var result = self
        result.value = .mapping(pairs)
        return result
    }

    /// The tree with one mark everywhere.
    fileprivate func marked(_ mark: Mark) -> Node {
        var result = self
        result.mark = mark
        switch value {
        case .sequence(let nodes): result.value = .sequence(nodes.map { $0.marked(mark) })
        case .mapping(let pairs):
            result.value = .mapping(
                pairs.map { Pair(key: $0.key, keyMark: mark, value: $0.value.marked(mark)) }
            )
        default: break
        }
        return result
    }
}
