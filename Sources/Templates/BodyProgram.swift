import Basics

/// A body compiled to pieces of bytes and places to fill, in the order in which they are written.
///
/// What is known when a template is bound is bytes already: for most bodies what is left of an item is a
/// piece, a cell, a piece. Every member and element writes a comma behind itself; ``Op/close(_:)`` turns the
/// last one into the closing bracket.
struct BodyProgram: Sendable {
    /// A test that a jump depends on.
    enum Test: Sendable {
        case entering
        case lastPage
        case cell(Int)
        /// Whether one of these lists of users has an item.
        case lists([Int])
        /// Whether a value worked out for the request is there.
        case value(Int)
    }

    /// A step of the program.
    enum Op: Sendable {
        /// Bytes of the pool.
        case bytes(Int, Int)
        /// A cell, escaped, without quotes.
        case cell(Int)
        /// All cells, each quoted, with commas between.
        case row
        /// A value worked out for the request.
        case value(Int)
        /// A value of the user that filters change: written slowly.
        case filtered(TemplateText.Expression, isWhole: Bool)
        case entering
        /// The items of a list of users, in brackets.
        case list(Int)
        /// Goes on elsewhere unless the test holds.
        case unless(Test, target: Int)
        case jump(Int)
        /// Remembers the end of what is written.
        case mark(Int)
        /// Takes back what was written since a mark where the value behind the key is empty.
        case omitIfEmpty(mark: Int, keyByteCount: Int)
        case close(UInt8)
    }

    fileprivate(set) var ops: [Op] = []
    fileprivate(set) var pool: [UInt8] = []
    fileprivate(set) var markCount = 0
}

/// A value that a request works out once, for all places of its body.
struct RequestValue: Sendable, Hashable {
    var expression: TemplateText.Expression
    /// A JSON value of its type; otherwise a part of a text.
    var isWhole: Bool
}

/// Compiles body trees.
struct BodyCompiler {
    let constants: TemplateConstants
    /// Collects what requests work out; shared by the programs of one request.
    private(set) var values: [RequestValue] = []

    private var program = BodyProgram()
    private var pending: [UInt8] = []
    private var isEntering: Bool?
    private var isOmitting = false

    init(_ constants: TemplateConstants) {
        self.constants = constants
    }

    /// Compiles a tree.
    ///
    /// - Parameters:
    ///   - tree: A body or the item of a list.
    ///   - isEntering: The direction where it is known, as for an item.
    /// - Returns: Its program.
    mutating func compile(_ tree: BodyTree, isEntering: Bool? = nil) -> BodyProgram {
        program = BodyProgram()
        pending = []
        isOmitting = false
        self.isEntering = isEntering
        emit(tree)
        flush()
        return program
    }

    private mutating func flush() {
        guard !pending.isEmpty else { return }
        let start = program.pool.count
        program.pool += pending
        program.ops.append(.bytes(start, program.pool.count))
        pending.removeAll(keepingCapacity: true)
    }

    private mutating func append(_ op: BodyProgram.Op) {
        flush()
        program.ops.append(op)
    }

    private mutating func literal(_ text: String) {
        pending.append(contentsOf: text.utf8)
    }

    private mutating func escaped(_ text: String) {
        text.withByteView { JSONWriter.appendEscaped($0, to: &pending) }
    }

    private mutating func emit(_ tree: BodyTree) {
        switch tree {
        case .null: literal("null")
        case .boolean(let flag): literal(flag ? "true" : "false")
        case .integer(let number): literal(String(number))
        case .double(let number): literal(number.description)
        case .text(let text): emit(text)
        case .list(let elements): emitList(elements)
        case .map(let members): emitMap(members)
        case .each(let index): append(.list(index))
        case .choice(let condition, let then, let otherwise): emit(condition, then, otherwise)
        case .omitEmpty(let inner):
            let outer = isOmitting
            isOmitting = true
            emit(inner)
            isOmitting = outer
        }
    }

    private mutating func emit(_ text: TemplateText) {
        if let whole = text.whole {
            emit(whole, isWhole: true)
            return
        }
        literal("\"")
        for segment in text.segments {
            switch segment {
            case .literal(let piece): escaped(piece)
            case .expression(let expression): emit(expression, isWhole: false)
            }
        }
        literal("\"")
    }

    private mutating func emit(_ expression: TemplateText.Expression, isWhole: Bool) {
        switch constants.evaluate(expression) {
        case .value(let value):
            if isWhole { literal(value.json) } else { escaped(value.text) }
        case .nothing:
            if isWhole { literal("\"\"") }
        case .later: emitLater(expression, isWhole: isWhole)
        }
    }

    private mutating func emitLater(_ expression: TemplateText.Expression, isWhole: Bool) {
        switch (expression.placeholder, expression.filters.isEmpty) {
        case (.cell(let index), true):
            if isWhole { literal("\"") }
            append(.cell(index))
            if isWhole { literal("\"") }
        case (.row, true) where isWhole:
            literal("[")
            append(.row)
            literal("]")
        case (.entering, true):
            if let isEntering {
                literal(isEntering ? "true" : "false")
            } else {
                append(.entering)
            }
        case (.cell, _), (.row, _), (.entering, _):
            append(.filtered(expression, isWhole: isWhole))
        default:
            append(.value(place(of: RequestValue(expression: expression, isWhole: isWhole))))
        }
    }

    private mutating func place(of value: RequestValue) -> Int {
        if let index = values.firstIndex(of: value) { return index }
        values.append(value)
        return values.count - 1
    }

    private mutating func emitMap(_ members: [BodyTree.Member]) {
        literal("{")
        for member in members {
            var key: [UInt8] = [UInt8(ascii: "\"")]
            constants.text(member.key).withByteView { JSONWriter.appendEscaped($0, to: &key) }
            key += Array("\":".utf8)
            emitPart(member.value, key: key)
        }
        close(UInt8(ascii: "}"))
    }

    private mutating func emitList(_ elements: [BodyTree]) {
        literal("[")
        for element in elements {
            let lists = isOmitting ? element.lists : []
            if lists.isEmpty {
                emitPart(element, key: [])
                continue
            }
            // An element that is there for its users' sake goes with them, whatever else it says.
            let test = program.ops.count + (pending.isEmpty ? 0 : 1)
            append(.unless(.lists(lists), target: 0))
            emitPart(element, key: [])
            flush()
            program.ops[test] = .unless(.lists(lists), target: program.ops.count)
        }
        close(UInt8(ascii: "]"))
    }

    /// A member or element, with the comma behind it; left out where that is wanted and it is empty.
    private mutating func emitPart(_ tree: BodyTree, key: [UInt8]) {
        guard isOmitting else {
            pending += key
            emit(tree)
            literal(",")
            return
        }
        if let constant = constantBytes(tree) {
            guard !EmptyValue.matches(constant[...]) else { return }
            pending += key
            pending += constant
            literal(",")
            return
        }
        let mark = program.markCount
        program.markCount += 1
        append(.mark(mark))
        pending += key
        emit(tree)
        literal(",")
        append(.omitIfEmpty(mark: mark, keyByteCount: key.count))
    }

    /// The bytes of a tree that nothing later changes.
    private func constantBytes(_ tree: BodyTree) -> [UInt8]? {
        var compiler = self
        compiler.program = BodyProgram()
        compiler.pending = []
        compiler.emit(tree)
        return compiler.program.ops.isEmpty ? compiler.pending : nil
    }

    private mutating func close(_ bracket: UInt8) {
        // Behind a jump or an omission what was written last is not known before it runs.
        switch pending.last {
        case nil: append(.close(bracket))
        case UInt8(ascii: ","): pending[pending.count - 1] = bracket
        default: pending.append(bracket)
        }
    }

    private mutating func emit(
        _ condition: BodyTree.Condition,
        _ then: BodyTree,
        _ otherwise: BodyTree
    ) {
        let test: BodyProgram.Test
        switch condition {
        case .flag(.entering):
            if let isEntering {
                emit(isEntering ? then : otherwise)
                return
            }
            test = .entering
        case .flag: test = .lastPage
        case .present(let expression):
            switch constants.evaluate(expression) {
            case .value(let value):
                emit(value.text.isEmpty ? otherwise : then)
                return
            case .nothing:
                emit(otherwise)
                return
            case .later:
                if case .cell(let index) = expression.placeholder {
                    test = .cell(index)
                } else {
                    let value = RequestValue(expression: expression, isWhole: false)
                    test = .value(place(of: value))
                }
            }
        }
        flush()
        let branch = program.ops.count
        program.ops.append(.unless(test, target: 0))
        emit(then)
        flush()
        let jump = program.ops.count
        program.ops.append(.jump(0))
        program.ops[branch] = .unless(test, target: program.ops.count)
        emit(otherwise)
        flush()
        program.ops[jump] = .jump(program.ops.count)
    }
}

extension BodyTree {
    /// The lists of users in it.
    var lists: [Int] {
        switch self {
        case .each(let index): [index]
        case .list(let elements): elements.flatMap(\.lists)
        case .map(let members): members.flatMap(\.value.lists)
        case .choice(_, let then, let otherwise): then.lists + otherwise.lists
        case .omitEmpty(let inner): inner.lists
        case .null, .boolean, .integer, .double, .text: []
        }
    }
}

/// What `$omit_empty` drops: nothing, `""`, `[]`, `{}`, `null`.
enum EmptyValue {
    static func matches(_ bytes: ArraySlice<UInt8>) -> Bool {
        switch bytes.count {
        case 0: return true
        case 2:
            let first = bytes[bytes.startIndex]
            let second = bytes[bytes.startIndex + 1]
            switch first {
            case UInt8(ascii: "\""): return second == UInt8(ascii: "\"")
            case UInt8(ascii: "["): return second == UInt8(ascii: "]")
            case UInt8(ascii: "{"): return second == UInt8(ascii: "}")
            default: return false
            }
        case 4: return bytes.elementsEqual("null".utf8)
        default: return false
        }
    }
}
