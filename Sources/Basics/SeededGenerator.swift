/// The one source of randomness: the same seed gives the same numbers on every machine.
///
/// Source: SplitMix64 (Steele, Lea, Flood 2014).
public struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// A generator whose numbers are determined by `seed`.
    public init(seed: UInt64) {
        state = seed
    }

    /// The next 64 bits.
    public mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    /// A number in 0..<bound; `bound` must be positive.
    public mutating func below(_ bound: Int) -> Int {
        precondition(bound > 0, "bound \(bound)")
        return Int(next().multipliedFullWidth(by: UInt64(bound)).high)
    }

    /// A number in the range.
    public mutating func number(in range: ClosedRange<Int>) -> Int {
        range.lowerBound + below(range.upperBound - range.lowerBound + 1)
    }

    /// True `percent` times in a hundred.
    public mutating func chance(percent: Int) -> Bool {
        below(100) < percent
    }

    /// One of the elements; the list must not be empty.
    public mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[below(elements.count)]
    }

    /// A version 4 UUID as text, of this generator's bits.
    public mutating func uuid() -> String {
        let high = (next() & 0xffff_ffff_ffff_0fff) | 0x4000
        let low = (next() & 0x3fff_ffff_ffff_ffff) | 0x8000_0000_0000_0000
        var digits: [UInt8] = []
        for (word, dashes) in [(high, [8, 12]), (low, [0, 4])] {
            for index in 0..<16 {
                if dashes.contains(index) { digits.append(UInt8(ascii: "-")) }
                digits.append(
                    JSONWriter.hexDigit(
                        UInt8(truncatingIfNeeded: word >> UInt64(60 - 4 * index)) & 15
                    )
                )
            }
        }
        return String(decoding: digits, as: UTF8.self)
    }
}
