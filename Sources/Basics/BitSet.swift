/// A growing set of small numbers, one bit each.
public struct BitSet: Sendable {
    private var words: [UInt64] = []
    /// How many numbers are in the set.
    public private(set) var count = 0

    /// The empty set.
    public init() {}

    /// Whether `index` is in the set.
    public subscript(index: UserSlot) -> Bool {
        let word = Int(index >> 6)
        return word < words.count && words[word] & (1 << UInt64(index & 63)) != 0
    }

    /// Puts `index` in; true if it was not there.
    @discardableResult
    public mutating func insert(_ index: UserSlot) -> Bool {
        let word = Int(index >> 6)
        if word >= words.count {
            words.append(contentsOf: repeatElement(0, count: word + 1 - words.count))
        }
        let bit: UInt64 = 1 << UInt64(index & 63)
        guard words[word] & bit == 0 else { return false }
        words[word] |= bit
        count += 1
        return true
    }

    /// Calls `body` with every number in the set, ascending.
    public func forEach(_ body: (UserSlot) -> Void) {
        for (position, word) in words.enumerated() {
            var rest = word
            while rest != 0 {
                body(UserSlot(position * 64 + rest.trailingZeroBitCount))
                rest &= rest - 1
            }
        }
    }
}
