import Basics

extension Shard {
    /// Sorts deltas by bytes of cohort, then of user: the order of every list we show.
    ///
    /// - Complexity: O(n log n); an id is looked at once, and again only where it begins like others.
    public func sortByCohortAndUser(_ deltas: inout [Delta]) {
        let keys = deltas.map { DeltaKey($0, id: users[$0.slot]) }
        let sorted = keys.sorted { left, right in
            if left.cohort != right.cohort { return left.cohort < right.cohort }
            if left.prefix != right.prefix { return left.prefix < right.prefix }
            return users[left.delta.slot].precedes(users[right.delta.slot])
        }
        for index in sorted.indices { deltas[index] = sorted[index].delta }
    }
}

/// A delta with what decides its place, so that sorting does not fetch ids from all over memory.
private struct DeltaKey {
    let delta: Delta
    /// The first 16 bytes of the user's id, zeros behind a shorter one.
    let prefix: UInt128

    var cohort: Int { delta.cohort }

    init(_ delta: Delta, id: ByteView) {
        self.delta = delta
        var prefix: UInt128 = 0
        withUnsafeMutableBytes(of: &prefix) { bytes in
            bytes.copyMemory(from: UnsafeRawBufferPointer(rebasing: id.buffer.prefix(16)))
        }
        self.prefix = UInt128(bigEndian: prefix)
    }
}
