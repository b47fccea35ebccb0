/// A growing set of small numbers, one bit each.
public struct BitSet: Sendable {
    private var words: [UInt64] = []
    /// How many numbers are in the set.
    public private(set) var count = 0

    /// The empty set.
    public init() {}

    /// Bytes of memory held.
    public var bytesReserved: Int { words.capacity * 8 }

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

    /// Takes `index` out; true if it was there.
    @discardableResult
    public mutating func remove(_ index: UserSlot) -> Bool {
        let word = Int(index >> 6)
        guard word < words.count else { return false }
        let bit: UInt64 = 1 << UInt64(index & 63)
        guard words[word] & bit != 0 else { return false }
        words[word] &= ~bit
        count -= 1
        return true
    }

    /// Takes everything out and keeps the memory.
    public mutating func removeAll() {
        for index in words.indices { words[index] = 0 }
        count = 0
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
