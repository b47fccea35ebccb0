import Foundation

/// Which seeds a property is tried with: `COHORTD_SEEDS` is how many for the dearest of them, of which 20,000
/// are a normal run, others in proportion; `COHORTD_SEED` is the only one.
package struct Seeds: Swift.Sequence {
    private let first: UInt64
    private let count: Int
    /// Whether there are as many as in a normal run, so that what must come up does.
    package let isFull: Bool

    /// The seeds of a run.
    ///
    /// - Parameters:
    ///   - count: How many in a normal run.
    ///   - first: Where they begin, so that properties do not all look at the same cases.
    package init(_ count: Int, from first: UInt64 = 1) {
        let environment = Environment.current
        if let only = environment["COHORTD_SEED"].flatMap(UInt64.init) {
            self.first = only
            self.count = 1
        } else {
            self.first = first
            self.count =
                environment["COHORTD_SEEDS"].flatMap(Int.init).map { $0 * count / 20_000 } ?? count
        }
        isFull = self.count >= count
    }

    /// The seeds, one after the other.
    package func makeIterator() -> AnyIterator<UInt64> {
        var next = first
        let end = first + UInt64(Swift.max(1, count))
        return AnyIterator {
            guard next < end else { return nil }
            defer { next += 1 }
            return next
        }
    }

    /// The seeds dealt to the machine's processors.
    package var parts: [[UInt64]] {
        let all = Array(self)
        let count = Swift.max(1, ProcessInfo.processInfo.activeProcessorCount)
        return (0..<count).map { part in
            stride(from: part, to: all.count, by: count).map { all[$0] }
        }
    }
}
