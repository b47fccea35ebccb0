package import Basics

/// Who entered and left which cohort in one tick of one partition, and whose synced properties changed.
///
/// Ids and values lie in one buffer and cohorts are named by their place in ``cohorts``, so that a tick with
/// many changes is handed over without a text per user.
package struct MembershipChanges: Sendable {
    private struct Row {
        var cohort: UInt32
        var change: MembershipChange
        var userEnd: Int
        var end: Int
    }

    /// The ids of the cohorts that rows refer to.
    package let cohorts: [String]
    /// By cohort: whether this tick is a bound of one of its calendar windows, so that many may leave at once.
    package var isCalendarBound: [Bool]
    /// By cohort: whether it looks back over records that were lost, so that no exit of it is certain.
    package var holdsExits: [Bool]
    private var bytes: [UInt8] = []
    private var rows: [Row] = []

    /// No changes yet, to cohorts with these ids.
    package init(cohorts: [String] = []) {
        self.cohorts = cohorts
        isCalendarBound = Array(repeating: false, count: cohorts.count)
        holdsExits = isCalendarBound
    }

    /// How many changes.
    package var count: Int { rows.count }

    /// Appends one change; `cohort` is an index into ``cohorts``.
    ///
    /// `cells` are the user's ``PropertyCells``, in the order of the cohort's synced properties; empty for a cohort
    /// without such, and for a user who left.
    package mutating func append(
        cohort: Int,
        user: ByteView,
        _ change: MembershipChange,
        cells: ByteView = .empty
    ) {
        precondition(cohorts.indices.contains(cohort), "cohort \(cohort) of \(cohorts.count)")
        bytes.append(contentsOf: user.buffer)
        let userEnd = bytes.count
        bytes.append(contentsOf: cells.buffer)
        rows.append(
            Row(cohort: UInt32(cohort), change: change, userEnd: userEnd, end: bytes.count)
        )
    }

    /// Lends the changes one by one, in the order they were appended.
    package func forEach(
        _ body: (_ cohort: Int, _ user: ByteView, _ change: MembershipChange, _ cells: ByteView)
            -> Void
    ) {
        bytes.withByteView { all in
            var start = 0
            for row in rows {
                body(
                    Int(row.cohort),
                    ByteView(base: all.base + start, count: row.userEnd - start),
                    row.change,
                    ByteView(base: all.base + row.userEnd, count: row.end - row.userEnd)
                )
                start = row.end
            }
        }
    }
}
