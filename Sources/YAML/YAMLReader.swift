/// Builds trees from libyaml's events and refuses what the language does without.
struct YAMLReader: ~Copyable {
    private let events: EventReader
    private var cursor: MarkCursor
    /// Where the text that libyaml sees begins in the file.
    private let byteOffset: Int
    private let scalarOffset: Int
    private var tree = TreeBuilder()

    /// Why the reading of a piece ends early; the problem is noted.
    private struct Stop: Error {}

    private init(_ text: UnsafeBufferPointer<UInt8>, byteOffset: Int, cursor: MarkCursor) {
        events = EventReader(text)
        self.cursor = cursor
        self.byteOffset = byteOffset
        scalarOffset = self.cursor.scalarNumber(byte: byteOffset)
    }

    /// Reads the documents in a range of a file; empty ones are left out.
    ///
    /// - Parameters:
    ///   - bytes: The file, which is UTF-8.
    ///   - range: A piece of it.
    ///   - cursor: Finds places.
    ///   - tree: Receives the problems.
    /// - Returns: The documents without holes, in the order written.
    static func read(
        _ bytes: [UInt8],
        _ range: Range<Int>,
        _ cursor: inout MarkCursor,
        into tree: inout TreeBuilder
    ) -> [Node] {
        // libyaml takes no null pointer, which the base of nothing may be.
        if range.isEmpty { return [] }
        return bytes.withUnsafeBufferPointer { buffer in
            let text = UnsafeBufferPointer(rebasing: buffer[range])
            var reader = YAMLReader(text, byteOffset: range.lowerBound, cursor: cursor)
            let documents = reader.documents()
            cursor = reader.cursor
            tree = reader.tree
            return documents
        }
    }

    private mutating func documents() -> [Node] {
        var documents: [Node] = []
        do throws(Stop) {
            while true {
                let event = try next()
                switch event.kind {
                case .endStream: return documents
                case .beginDocument:
                    if let root = try document() { documents.append(root) }
                default: continue
                }
            }
        } catch {
            return documents
        }
    }

    /// The document of which the begin is taken; nil where it is empty or lost.
    private mutating func document() throws(Stop) -> Node? {
        let lostBefore = tree.lostCount
        let root = try node(try next(), depth: 1)
        if case .null = root.value, root.source.isEmpty { return nil }
        return tree.lostCount == lostBefore ? root : nil
    }

    private mutating func next() throws(Stop) -> EventReader.Event {
        do throws(EventReader.Failure) {
            return try events.next()
        } catch {
            let mark =
                if let byte = error.byte {
                    cursor.mark(byte: byteOffset + byte)
                } else {
                    cursor.mark(scalar: scalarOffset + (error.scalar ?? 0))
                }
            tree.lose(.yamlSyntax, mark, error.text)
            throw Stop()
        }
    }

    private mutating func mark(_ event: EventReader.Event) -> Mark {
        cursor.mark(scalar: scalarOffset + event.start)
    }

    /// The node that an event begins.
    private mutating func node(_ event: EventReader.Event, depth: Int) throws(Stop) -> Node {
        let mark = mark(event)
        refuseDecorations(event, mark)
        switch event.kind {
        case .scalar(let text, let isPlain):
            let value = isPlain ? CoreSchema.value(ofPlain: text) : .text(text)
            return Node(value: value, mark: mark, source: text)
        case .alias(let name):
            tree.lose(
                .alias,
                mark,
                "the alias *\(name.excerpt) is not followed: write the value out"
            )
            return Node(value: .null, mark: mark, source: "*" + name)
        case .beginSequence:
            try limit(depth, mark)
            var nodes: [Node] = []
            while true {
                let item = try next()
                if case .endSequence = item.kind { break }
                nodes.append(try node(item, depth: depth + 1))
            }
            return Node(value: .sequence(nodes), mark: mark)
        case .beginMapping:
            try limit(depth, mark)
            return Node(value: .mapping(try pairs(depth)), mark: mark)
        default:
            preconditionFailure("libyaml gave \(event.kind) where a value begins")
        }
    }

    private mutating func pairs(_ depth: Int) throws(Stop) -> [Node.Pair] {
        var pairs: [Node.Pair] = []
        var seen: [[UInt8]: Mark] = [:]
        while true {
            let event = try next()
            if case .endMapping = event.kind { return pairs }
            let key = try key(event, depth: depth)
            let value = try node(try next(), depth: depth + 1)
            guard let key else { continue }
            tree.add(
                Node.Pair(key: key.text, keyMark: key.mark, value: value),
                to: &pairs,
                seen: &seen
            )
        }
    }

    /// The key that an event begins, as written; nil where it is none, which is noted.
    private mutating func key(
        _ event: EventReader.Event,
        depth: Int
    ) throws(Stop) -> (text: String, mark: Mark)? {
        guard case .scalar(let text, let isPlain) = event.kind else {
            let mark = mark(event)
            let problems = tree
            // Gone over without a word: what is wrong is that it is a key at all.
            _ = try node(event, depth: depth + 1)
            tree = problems
            tree.lose(.badKey, mark, "a key must be a text, not a list, a map or an alias")
            return nil
        }
        let mark = mark(event)
        refuseDecorations(event, mark)
        if isPlain, text == "<<" {
            tree.lose(.mergeKey, mark, "the merge key << is not followed: write the keys out")
            return nil
        }
        if isPlain, text.isEmpty {
            tree.lose(.badKey, mark, "a key is missing before the colon")
            return nil
        }
        return (text, mark)
    }

    private mutating func refuseDecorations(_ event: EventReader.Event, _ mark: Mark) {
        if let anchor = event.anchor {
            tree.note(
                .anchor,
                mark,
                "the anchor &\(anchor.excerpt) is not allowed: write the value where it is used"
            )
        }
        if let tag = event.tag {
            tree.note(
                .tag,
                mark,
                "the tag \(tag.excerpt) is not allowed: quotes make a text, nothing makes more"
            )
        }
    }

    private mutating func limit(_ depth: Int, _ mark: Mark) throws(Stop) {
        guard depth > DocumentReader.depthMax else { return }
        tree.lose(.documentTooDeep, mark, TreeBuilder.tooDeepText)
        throw Stop()
    }
}
