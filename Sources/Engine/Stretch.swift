/// A stretch of a list, in eight bytes.
struct Stretch: BitwiseCopyable {
    private let start: UInt32
    private let end: UInt32

    init(_ start: Int, _ end: Int) {
        self.start = UInt32(start)
        self.end = UInt32(end)
    }

    /// Nothing.
    static var empty: Stretch { Stretch(0, 0) }

    var isEmpty: Bool { start == end }

    @inline(__always)
    var range: Range<Int> { Int(start)..<Int(end) }
}

extension Array {
    /// Appends elements, and gives where they stand.
    mutating func appendStretch(_ more: [Element]) -> Stretch {
        let start = count
        self += more
        return Stretch(start, count)
    }
}
