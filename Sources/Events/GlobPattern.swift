import Basics

/// A pattern of `glob`, ready to be held against whole texts.
///
/// The pattern becomes a row of *steps*, each of which takes one scalar; stars lie between them:
/// ```
/// pattern   a * b / **         bit i of the states = the first i steps have taken what was read so far
/// steps     a   b /            a star before step i = state i may stay: on any scalar but `/`, or on any
/// states  0   1   2   3        (1 stays but on `/`, 3 stays on any)
/// ```
/// All states go forward together, one scalar of the text at a time, so that no pattern and no text cost more
/// than scalars × steps / 64. Source: docs/cohorts.md, "Predicates on properties".
struct GlobPattern: Sendable {
    /// What takes one scalar.
    private enum Step {
        case scalar(UInt32)
        /// `?`: any but `/`.
        case any
        /// A class: any but `/` that is in one of the ranges, or in none of them.
        case members([ClosedRange<UInt32>], isNegated: Bool)

        func takes(_ scalar: UInt32) -> Bool {
            switch self {
            case .scalar(let wanted): wanted == scalar
            case .any: scalar != GlobPattern.slash
            case .members(let ranges, let isNegated):
                scalar != GlobPattern.slash && ranges.contains { $0.contains(scalar) } != isNegated
            }
        }
    }

    fileprivate static let slash = UInt32(UInt8(ascii: "/"))
    private static let asciiCount = 128

    private let steps: [Step]
    /// How many words the states take: one bit more than steps.
    private let words: Int
    /// For each ASCII scalar the steps that take it, as so many words.
    private let takers: [UInt64]
    /// The states that may stay on any scalar but `/`, and those that may stay on `/` too.
    private let stays: [UInt64]
    private let staysOnSlash: [UInt64]

    /// A pattern that the checker of definitions has found good; a `[` without its `]` stands for itself.
    init(_ pattern: [UInt8]) {
        var steps: [Step] = []
        var stars: [(state: Int, isDeep: Bool)] = []
        let scalars = String(decoding: pattern, as: UTF8.self).unicodeScalars.map(\.value)
        var position = 0
        while position < scalars.count {
            let scalar = scalars[position]
            position += 1
            switch scalar {
            case UInt32(UInt8(ascii: "*")):
                // A third star in a row changes nothing.
                let isDeep = stars.last?.state == steps.count
                stars.append((steps.count, isDeep))
            case UInt32(UInt8(ascii: "?")): steps.append(.any)
            case UInt32(UInt8(ascii: "[")):
                steps.append(Self.members(scalars, &position) ?? .scalar(scalar))
            default: steps.append(.scalar(scalar))
            }
        }
        self.steps = steps
        words = steps.count / 64 + 1
        var takers = [UInt64](repeating: 0, count: Self.asciiCount * words)
        for (index, step) in steps.enumerated() {
            for scalar in 0..<Self.asciiCount where step.takes(UInt32(scalar)) {
                takers[scalar * words + index / 64] |= 1 << UInt64(index % 64)
            }
        }
        self.takers = takers
        var stays = [UInt64](repeating: 0, count: words)
        var staysOnSlash = stays
        for star in stars {
            stays[star.state / 64] |= 1 << UInt64(star.state % 64)
            if star.isDeep { staysOnSlash[star.state / 64] |= 1 << UInt64(star.state % 64) }
        }
        self.stays = stays
        self.staysOnSlash = staysOnSlash
    }

    /// The class whose first scalar behind the `[` is at `position`, which moves behind the `]`.
    private static func members(_ scalars: [UInt32], _ position: inout Int) -> Step? {
        var first = position
        let isNegated = first < scalars.count && scalars[first] == UInt32(UInt8(ascii: "!"))
        if isNegated { first += 1 }
        // The first member may be `]` itself, so the end is looked for behind it.
        guard
            let end = scalars.indices.dropFirst(first + 1).first(where: {
                scalars[$0] == UInt32(UInt8(ascii: "]"))
            })
        else { return nil }
        position = end + 1
        var ranges: [ClosedRange<UInt32>] = []
        var member = first
        while member < end {
            let low = scalars[member]
            if member + 2 < end, scalars[member + 1] == UInt32(UInt8(ascii: "-")) {
                let high = scalars[member + 2]
                if low <= high { ranges.append(low...high) }
                member += 3
            } else {
                ranges.append(low...low)
                member += 1
            }
        }
        return .members(ranges, isNegated: isNegated)
    }

    /// Whether the whole text is what the pattern describes.
    ///
    /// Complexity: O(scalars × steps / 64) for ASCII, O(scalars × steps) beyond. Does not allocate.
    func matches(_ text: ByteView) -> Bool {
        withUnsafeTemporaryAllocation(of: UInt64.self, capacity: words) { states in
            states.initialize(repeating: 0)
            states[0] = 1
            var position = 0
            while position < text.count {
                let byte = text.base[position]
                let isAlive: Bool
                if byte < Self.asciiCount {
                    position += 1
                    isAlive = advance(states, onASCII: Int(byte))
                } else {
                    let size = UTF8Scalars.size(byte)
                    guard position + size <= text.count,
                        let scalar = UTF8Scalars.scalar(text.base + position, size)
                    else { return false }
                    position += size
                    isAlive = advance(states, on: scalar.value)
                }
                if !isAlive { return false }
            }
            return states[words - 1] >> UInt64(steps.count % 64) & 1 == 1
        }
    }

    /// Takes one scalar; false where no state is left.
    private func advance(_ states: UnsafeMutableBufferPointer<UInt64>, onASCII scalar: Int) -> Bool
    {
        let isSlash = scalar == Int(Self.slash)
        var carry: UInt64 = 0
        var alive: UInt64 = 0
        for word in 0..<words {
            let taken = states[word] & takers[scalar * words + word]
            let staying = states[word] & (isSlash ? staysOnSlash[word] : stays[word])
            states[word] = taken << 1 | carry | staying
            carry = taken >> 63
            alive |= states[word]
        }
        return alive != 0
    }

    /// The same beyond ASCII, where the steps that may take it are asked one by one.
    private func advance(_ states: UnsafeMutableBufferPointer<UInt64>, on scalar: UInt32) -> Bool {
        var carry: UInt64 = 0
        var alive: UInt64 = 0
        for word in 0..<words {
            var taken: UInt64 = 0
            var rest = states[word]
            while rest != 0 {
                let bit = rest.trailingZeroBitCount
                rest &= rest - 1
                let step = 64 * word + bit
                // The last state has no step behind it.
                if step < steps.count, steps[step].takes(scalar) { taken |= 1 << UInt64(bit) }
            }
            let staying = states[word] & stays[word]
            states[word] = taken << 1 | carry | staying
            carry = taken >> 63
            alive |= states[word]
        }
        return alive != 0
    }
}
