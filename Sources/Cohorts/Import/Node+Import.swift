import YAML

/// Nodes as an import reads and makes them.
extension Node {
    /// The value under a key of a map.
    subscript(key: String) -> Node? {
        guard case .mapping(let pairs) = value else { return nil }
        return pairs.first { $0.key == key }?.value
    }

    var text: String? { if case .text(let text) = value { text } else { nil } }
    var integer: Int64? { if case .integer(let number) = value { number } else { nil } }
    var boolean: Bool? { if case .boolean(let flag) = value { flag } else { nil } }
    var list: [Node]? { if case .sequence(let nodes) = value { nodes } else { nil } }

    /// Null, `[]`, `{}` or an empty text: nothing that could change a meaning.
    var isEmpty: Bool {
        switch value {
        case .null: true
        case .text(let text): text.isEmpty
        case .sequence(let nodes): nodes.isEmpty
        case .mapping(let pairs): pairs.isEmpty
        default: false
        }
    }

    private static let nowhere = Mark(line: 1, column: 1)

    static func text(_ text: String) -> Node {
        Node(value: .text(text), mark: nowhere, source: text)
    }

    static func number(_ number: Int64) -> Node {
        Node(value: .integer(number), mark: nowhere, source: String(number))
    }

    static func flag(_ flag: Bool) -> Node {
        Node(value: .boolean(flag), mark: nowhere, source: String(flag))
    }

    static func list(_ nodes: [Node]) -> Node {
        Node(value: .sequence(nodes), mark: nowhere)
    }

    static func map(_ pairs: [(String, Node)]) -> Node {
        Node(
            value: .mapping(pairs.map { Pair(key: $0.0, keyMark: nowhere, value: $0.1) }),
            mark: nowhere
        )
    }
}
