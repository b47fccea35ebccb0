public import Basics

/// Reads files of YAML and JSON documents into trees with places.
///
/// Invariants:
/// - Scalars follow the YAML 1.2 core schema (``CoreSchema``); quoted and block scalars are texts.
/// - Anchors, aliases, tags, merge keys and duplicate keys are problems, never followed.
/// - A document whose first byte is `{` or `[` is read as JSON, and as YAML only if it is no JSON: libyaml
///   refuses surrogate pairs and long keys, which JSON allows.
/// - A problem in one document hides nothing of the others.
///
/// A line that begins with `---` and goes on with white space separates documents. It can stand nowhere
/// else (YAML 1.2, 9.1.2: "document markers"), so the file is cut there before anything is parsed:
/// ```
/// id: a          ┐ piece 1
/// ---            ┘┐ piece 2, JSON
/// {"id": "b"}     ┘
/// ```
public enum DocumentReader {
    /// How deep lists and maps may nest; the outermost is level 1.
    ///
    /// Clauses may nest 32 deep and take two levels each, so this is more than their limit needs.
    public static let depthMax = 128
    /// The longest file that is looked at.
    public static let bytesMax = 8 << 20

    /// Reads all documents of a file; empty ones are left out.
    ///
    /// - Returns: The documents that could be read, also those with problems that leave no hole in the tree
    ///   (of a duplicate key the first counts), and every problem, in the order of the file. The file is
    ///   good only if there are no problems.
    /// - Complexity: O(bytes).
    public static func read(
        _ bytes: [UInt8]
    ) -> (documents: [Node], problems: [DocumentProblem]) {
        if bytes.count > bytesMax {
            let text = "the file has \(bytes.count) bytes, \(bytesMax) are allowed: split it"
            return refusal(.documentTooLarge, .start, text)
        }
        if let position = firstInvalidUTF8(bytes) {
            var cursor = MarkCursor(bytes)
            let text =
                "a byte that is not UTF-8 (0x\(hex(bytes[position]))): save the file as UTF-8"
            return refusal(.notUTF8, cursor.mark(byte: position), text)
        }
        var cursor = MarkCursor(bytes)
        var documents: [Node] = []
        var problems: [DocumentProblem] = []
        for piece in DocumentPiece.pieces(of: bytes) {
            var tree = TreeBuilder()
            if let json = JSONReader.read(bytes, piece.content, &cursor, into: &tree) {
                documents += json
            } else {
                tree = TreeBuilder()
                documents += YAMLReader.read(bytes, piece.whole, &cursor, into: &tree)
            }
            problems += tree.problems
        }
        return (documents, problems)
    }

    /// Reads bytes that are one list or map of JSON and nothing else, such as an answer of a server.
    ///
    /// - Returns: The tree; nil for anything else, and for what is too large or nests too deep. Of a duplicate
    ///   key the first counts.
    /// - Complexity: O(bytes).
    public static func readJSON(_ bytes: [UInt8]) -> Node? {
        guard bytes.count <= bytesMax, firstInvalidUTF8(bytes) == nil else { return nil }
        var cursor = MarkCursor(bytes)
        var tree = TreeBuilder()
        return JSONReader.read(bytes, 0..<bytes.count, &cursor, into: &tree)?.first
    }

    /// Reads all documents of a file of which the bytes are borrowed; see ``read(_:)-([UInt8])``.
    public static func read(
        _ bytes: ByteView
    ) -> (documents: [Node], problems: [DocumentProblem]) {
        read(bytes.array)
    }

    /// The answer for a file that is not looked at any further.
    private static func refusal(
        _ code: DocumentProblem.Code,
        _ mark: Mark,
        _ text: String
    ) -> (documents: [Node], problems: [DocumentProblem]) {
        ([], [DocumentProblem(mark: mark, code: code, text: text, losesDocument: true)])
    }

    private static func hex(_ byte: UInt8) -> String {
        String(
            decoding: [JSONWriter.hexDigit(byte >> 4), JSONWriter.hexDigit(byte & 15)],
            as: UTF8.self
        )
    }

    /// The position of the first byte that belongs to no scalar, nil where all is UTF-8.
    private static func firstInvalidUTF8(_ bytes: [UInt8]) -> Int? {
        var decoder = UTF8()
        var position = 0
        var iterator = bytes.makeIterator()
        while true {
            switch decoder.decode(&iterator) {
            case .scalarValue(let scalar): position += UTF8.width(scalar)
            case .emptyInput: return nil
            case .error: return position
            }
        }
    }
}

extension Mark {
    /// The first line, the first column.
    public static let start = Mark(line: 1, column: 1)
}
