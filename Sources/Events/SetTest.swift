import Basics

/// One of `set_is` and `set_contains`, asked of a whole value.
///
/// The value is the set of the canonical texts of its scalars: of an array those among its elements (what is
/// null, an array or an object there is none), of a scalar itself alone; of an object there are none, and it
/// fails both, since operands are never empty.
struct SetTest: Sendable {
    /// The canonical texts of the operands, sorted, each once.
    private let wanted: [[UInt8]]
    /// Whether nothing else may be in the set.
    private let isExact: Bool

    /// A test of `set_is` or `set_contains`.
    init(_ test: PredicateTest) {
        precondition(!test.operands.isEmpty, "`\(test.op.rawValue)` without operands")
        isExact = test.op == .setIs
        let sorted = test.operands.map { CanonicalText.bytes(of: $0) }
            .sorted { $0.lexicographicallyPrecedes($1) }
        wanted = zip(sorted.indices, sorted).filter { $0 == 0 || sorted[$0 - 1] != $1 }.map(\.1)
    }

    /// Whether the value satisfies it; it is neither missing nor null.
    ///
    /// Complexity: O(scalars × log operands). Does not allocate while there are few operands.
    func passes(_ value: ValueView) -> Bool {
        withUnsafeTemporaryAllocation(of: Bool.self, capacity: wanted.count) { seen in
            seen.initialize(repeating: false)
            var missing = wanted.count
            /// False where a scalar is there that must not be.
            func take(_ scalar: ValueView) -> Bool {
                guard let place = place(of: scalar) else { return !isExact }
                if !seen[place] { missing -= 1 }
                seen[place] = true
                return true
            }
            if value.kind == .array {
                for element in value.elements where element.isScalar && !take(element) {
                    return false
                }
            } else if value.isScalar, !take(value) {
                return false
            }
            return missing == 0
        }
    }

    private func place(of scalar: ValueView) -> Int? {
        let found = CanonicalText.withBytes(of: scalar) { text in
            var low = 0
            var high = wanted.count
            while low < high {
                let middle = (low + high) / 2
                if wanted[middle].withUnsafeBytes({ ByteView($0).precedes(text) }) {
                    low = middle + 1
                } else {
                    high = middle
                }
            }
            let isThere =
                low < wanted.count && wanted[low].withUnsafeBytes { ByteView($0).equals(text) }
            return isThere ? low : -1
        }
        return found.flatMap { $0 < 0 ? nil : $0 }
    }
}
