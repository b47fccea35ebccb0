/// Some words of memory that are written all the time: changing one asks nobody whether the memory is shared.
final class WordBuffer: @unchecked Sendable {
    // Sendable as the evaluator is that owns it: one thread at a time.

    /// How many words there are.
    let count: Int
    private let words: UnsafeMutablePointer<UInt64>
    /// The words as they lie, for loops that stay inside by themselves.
    var start: UnsafeMutablePointer<UInt64> { words }

    /// Words of zeros.
    init(count: Int) {
        self.count = count
        words = .allocate(capacity: max(1, count))
        words.initialize(repeating: 0, count: count)
    }

    deinit {
        words.deallocate()
    }

    /// A word; `index` must be in 0..<``count``.
    @inline(__always)
    subscript(index: Int) -> UInt64 {
        get {
            precondition(index >= 0 && index < count, "word \(index) of \(count)")
            return words[index]
        }
        set {
            precondition(index >= 0 && index < count, "word \(index) of \(count)")
            words[index] = newValue
        }
    }

    /// A copy of the words.
    var array: [UInt64] { (0..<count).map { words[$0] } }
}
