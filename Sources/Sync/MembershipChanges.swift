package import Basics

/// Who entered and left which cohort in one tick of one partition.
///
/// Ids lie in one buffer and cohorts are named by their place in ``cohorts``, so that a tick with many
/// changes is handed over without a text per user.
package struct MembershipChanges: Sendable {
    private struct Row {
        var cohort: UInt32
        var entered: Bool
        var end: Int
    }

    /// The ids of the cohorts that rows refer to.
    package let cohorts: [String]
    private var bytes: [UInt8] = []
    private var rows: [Row] = []

    /// No changes yet, to cohorts with these ids.
    package init(cohorts: [String] = []) {
        self.cohorts = cohorts
    }

    /// How many changes.
    package var count: Int { rows.count }

    /// Appends one change; `cohort` is an index into ``cohorts``.
    package mutating func append(cohort: Int, user: ByteView, entered: Bool) {
        precondition(cohorts.indices.contains(cohort), "cohort \(cohort) of \(cohorts.count)")
        bytes.append(contentsOf: user.buffer)
        rows.append(Row(cohort: UInt32(cohort), entered: entered, end: bytes.count))
    }

    /// Lends the changes one by one, in the order they were appended.
    package func forEach(_ body: (_ cohort: Int, _ user: ByteView, _ entered: Bool) -> Void) {
        bytes.withByteView { all in
            var start = 0
            for row in rows {
                body(
                    Int(row.cohort),
                    ByteView(base: all.base + start, count: row.end - start),
                    row.entered
                )
                start = row.end
            }
        }
    }
}
