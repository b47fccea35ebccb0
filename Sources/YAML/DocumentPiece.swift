/// The part of a file that holds one document (or several that only libyaml can tell apart).
struct DocumentPiece {
    /// With the `---` it begins with and the directives before it.
    var whole: Range<Int>
    /// Without them, what may be JSON; empty where there are directives, which JSON has not.
    var content: Range<Int>

    /// Cuts a file at its `---` lines; a byte order mark at its start belongs to no piece.
    static func pieces(of bytes: [UInt8]) -> [DocumentPiece] {
        let start = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0
        var pieces: [DocumentPiece] = []
        var begin = start
        // Where the document after the last `---` begins; nil where it has directives.
        var contentBegin: Int? = start
        var hasDirective = false
        var line = start
        func piece(to end: Int) -> DocumentPiece {
            DocumentPiece(whole: begin..<end, content: (contentBegin ?? end)..<end)
        }
        while line < bytes.count {
            if isSeparator(bytes, at: line) {
                if hasDirective {
                    // It belongs to the document that follows: one piece holds both.
                    contentBegin = nil
                } else {
                    if line > begin { pieces.append(piece(to: line)) }
                    begin = line
                    contentBegin = line + 3
                }
                hasDirective = false
            } else if bytes[line] == UInt8(ascii: "%") {
                hasDirective = true
            }
            line = endOfLine(bytes, from: line)
        }
        pieces.append(piece(to: bytes.count))
        return pieces
    }

    private static func isSeparator(_ bytes: [UInt8], at position: Int) -> Bool {
        guard position + 3 <= bytes.count, bytes[position..<position + 3].allSatisfy({ $0 == 0x2d })
        else { return false }
        return position + 3 == bytes.count
            || [0x20, 0x09, 0x0a, 0x0d].contains(bytes[position + 3])
    }

    private static func endOfLine(_ bytes: [UInt8], from start: Int) -> Int {
        var position = start
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            if byte == 0x0a || byte == 0x0d { return position }
        }
        return position
    }
}
