package import Basics

/// Changes of a cohort with the users' mapped rows: what requests are rendered from.
///
/// Rows lie in one buffer, so that a batch of users is handed over without a text per user.
package struct ChangeList: Sendable {
    private var bytes: [UInt8] = []
    private var ends: [Int] = []
    private var entering: [Bool] = []

    /// No changes yet.
    package init() {}

    /// How many changes.
    package var count: Int { ends.count }

    /// Appends the change of one user.
    ///
    /// - Parameters:
    ///   - row: A row of the template's identity (``MappedRow``).
    ///   - isEntering: Whether the user comes into the cohort; otherwise leaves it.
    package mutating func append(row: ByteView, isEntering: Bool) {
        bytes.append(contentsOf: row.buffer)
        ends.append(bytes.count)
        entering.append(isEntering)
    }

    /// The same changes with the partner's ids behind the cells of the rows, as member requests read them where a
    /// template has a ``Lookup``; empty for users without one.
    package func naming(_ partnerIDs: [Int: String]) -> ChangeList {
        var named = ChangeList()
        for index in 0..<count {
            withRow(index) { named.bytes.append(contentsOf: $0.buffer) }
            MappedRow.append(Array((partnerIDs[index] ?? "").utf8), to: &named.bytes)
            named.ends.append(named.bytes.count)
            named.entering.append(entering[index])
        }
        return named
    }

    /// Forgets the changes and keeps the memory.
    package mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        ends.removeAll(keepingCapacity: true)
        entering.removeAll(keepingCapacity: true)
    }

    /// Whether the user of a change enters.
    package func isEntering(_ index: Int) -> Bool { entering[index] }

    /// Lends the row of a change.
    package func withRow<Result>(_ index: Int, _ body: (ByteView) -> Result) -> Result {
        let start = index == 0 ? 0 : ends[index - 1]
        return bytes.withByteView { all in
            body(ByteView(base: all.base + start, count: ends[index] - start))
        }
    }
}
