/// Turns positions of a file into lines and columns, quickest when they are asked for in rising order.
///
/// Lines end at LF, CR or CR LF; a byte order mark at the start has no column.
struct MarkCursor {
    private let bytes: [UInt8]
    private let start: Int
    private var position: Int
    private var scalars = 0
    private var mark = Mark.start

    /// A cursor over a file.
    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        start = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0
        position = start
    }

    /// The place of a byte.
    mutating func mark(byte: Int) -> Mark {
        if byte < position { rewind() }
        while position < min(byte, bytes.count) { step() }
        return mark
    }

    /// The number in the file of the scalar that begins at a byte.
    mutating func scalarNumber(byte: Int) -> Int {
        _ = mark(byte: byte)
        return scalars
    }

    /// The place of the scalar with that number in the file, counted from 0.
    mutating func mark(scalar number: Int) -> Mark {
        if number < scalars { rewind() }
        while scalars < number, position < bytes.count { step() }
        return mark
    }

    private mutating func rewind() {
        position = start
        scalars = 0
        mark = .start
    }

    /// Goes over one scalar.
    private mutating func step() {
        let byte = bytes[position]
        position += 1
        while position < bytes.count, bytes[position] & 0xc0 == 0x80 { position += 1 }
        scalars += 1
        if byte == 0x0a || (byte == 0x0d && (position == bytes.count || bytes[position] != 0x0a)) {
            mark.line += 1
            mark.column = 1
        } else if byte != 0x0d {
            mark.column += 1
        }
    }
}
