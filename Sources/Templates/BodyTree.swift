import Configuration

/// A body as the template has it: a JSON tree with directives.
indirect enum BodyTree: Sendable {
    /// A member of a map; the key may hold placeholders only with `$key`.
    struct Member: Sendable {
        var key: TemplateText
        var value: BodyTree
    }

    case null
    case boolean(Bool)
    case integer(Int64)
    case double(Double)
    /// A text; one that is a placeholder as a whole has that one's type.
    case text(TemplateText)
    case list([BodyTree])
    case map([Member])
    /// A list with an item for each user of a selection; the number is its place in ``RequestForm/lists``.
    case each(Int)
    case choice(Condition, then: BodyTree, otherwise: BodyTree)
    /// Drops what is empty below it.
    case omitEmpty(BodyTree)

    /// What `$if` asks.
    enum Condition: Sendable {
        /// A boolean placeholder.
        case flag(Placeholder)
        /// Whether a text is not empty.
        case present(TemplateText.Expression)
    }

    /// Which changes of a batch a `$each` goes over.
    enum Selection: String, CaseIterable, Sendable {
        case adds
        case removes
        case changes
        case batch

        /// Whether it takes a change of that direction.
        func takes(isEntering: Bool) -> Bool {
            switch self {
            case .adds: isEntering
            case .removes: !isEntering
            case .changes, .batch: true
            }
        }
    }

    /// A `$each` of a body.
    struct UserList: Sendable {
        var selection: Selection
        var item: BodyTree
    }
}

extension BodyTree {
    /// All texts in it, but those of the items of `$each`.
    var texts: [TemplateText] {
        switch self {
        case .null, .boolean, .integer, .double, .each: []
        case .text(let text): [text]
        case .list(let elements): elements.flatMap(\.texts)
        case .map(let members): members.flatMap { [$0.key] + $0.value.texts }
        case .choice(_, let then, let otherwise): then.texts + otherwise.texts
        case .omitEmpty(let tree): tree.texts
        }
    }
}
