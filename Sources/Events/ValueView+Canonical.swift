import Basics

// What the engine remembers of values instead of the values themselves.

extension ValueView {
    /// 128 bits that stand for the canonical text of a scalar: equal for equal texts, and never equal by
    /// chance.
    ///
    /// The hash is stored; it must never change. Nil of what has no canonical text: missing, null, arrays,
    /// objects. Complexity: O(bytes). Does not allocate.
    public func canonicalHash() -> (high: UInt64, low: UInt64)? {
        if let text { return Self.hash(text) }
        return CanonicalText.withBytes(of: self) { Self.hash($0) }
    }

    /// Calls `body` with the hash of the scalar, or of each scalar element of an array in turn.
    ///
    /// Nothing else has any: not null, not objects, not what is nested in an array. See ``canonicalHash()``.
    public func forEachScalarHash(_ body: (UInt64, UInt64) -> Void) {
        if kind == .array {
            for element in elements {
                if let hash = element.canonicalHash() { body(hash.high, hash.low) }
            }
        } else if let hash = canonicalHash() {
            body(hash.high, hash.low)
        }
    }

    /// The number a scalar stands for in millionths, as `sum avg min max` take it.
    ///
    /// An integer exactly; a double as the integer nearest to its product with 10⁶, half to even. Numeric text
    /// counts. Nil of what is no number, and of numbers beyond ±10¹⁵. Does not allocate.
    public func micro() -> Int128? {
        NumericValue(self)?.micro()
    }

    /// Whether both are the same value in a list: scalars by their canonical texts, all else by what they
    /// hold, byte for byte.
    func isSame(as other: ValueView) -> Bool {
        if bytes.equals(other.bytes) { return true }
        guard isScalar, other.isScalar else { return false }
        if kind == .text, other.kind == .text { return false }
        return CanonicalText.withBytes(of: self) { own in
            CanonicalText.withBytes(of: other) { own.equals($0) } ?? false
        } ?? false
    }

    private static func hash(_ text: ByteView) -> (high: UInt64, low: UInt64) {
        (
            Hashing.hash64(text, seed: 0x6361_6e6f_6e69_6361),
            Hashing.hash64(text, seed: 0x6c20_7465_7874_2030)
        )
    }
}

extension NumericValue {
    /// See ``ValueView/micro()``.
    public func micro() -> Int128? {
        switch self {
        case .integer(let integer):
            guard integer.magnitude <= 1_000_000_000_000_000 else { return nil }
            return Int128(integer) * 1_000_000
        case .double(let double):
            guard double.magnitude <= 1e15 else { return nil }
            return Self.nearest(double * 1_000_000)
        }
    }

    /// The same for a bound, which may be any number: one beyond ±`limit` becomes ±`limit`.
    ///
    /// - Parameter limit: Beyond what can be compared with it, and below 2¹²⁶.
    /// - Returns: Millionths in −`limit`…`limit`.
    public func micro(clampedTo limit: Int128) -> Int128 {
        precondition(limit > 0 && limit < 1 << 126, "a limit of \(limit)")
        switch self {
        case .integer(let integer):
            return max(-limit, min(limit, Int128(integer) * 1_000_000))
        case .double(let double):
            let product = double * 1_000_000
            if product.magnitude >= 0x1p126 { return product < 0 ? -limit : limit }
            return max(-limit, min(limit, Self.nearest(product)))
        }
    }

    private static func nearest(_ product: Double) -> Int128 {
        let whole = product.rounded(.toNearestOrEven)
        // Most fit a word, for which there is an instruction.
        return whole.magnitude < 0x1p62 ? Int128(Int64(whole)) : Int128(whole)
    }
}
