import Basics
import Cohorts
import Events

/// Whose values of synced properties leave with a tick, and the values.
///
/// Values are those at the moment a user was looked at: what events do between the slices of a tick leaves
/// with the next one.
struct SyncedValues {
    /// A cohort of which syncs send properties.
    struct Cohort {
        /// Index in the plan.
        let index: Int
        /// Is looked at when a value may differ.
        let condition: Int
        let lookUps: [PropertyLookUp]
    }

    private struct Row {
        var cohort: UInt32
        var slot: UserSlot
        var entered: Bool
        var end: Int
    }

    /// More memory than this is given back when the next tick begins; a mass of users may enter once.
    private static let bytesKept = 1 << 20

    let cohorts: [Cohort]
    private var rows: [Row] = []
    private var cells: [UInt8] = []
    /// Of each cohort the users in hand whose values may differ: a bit for each.
    private var differing: [UInt64]

    init(plan: Plan, names: inout PropertyNames) {
        cohorts = plan.cohorts.enumerated().compactMap { index, cohort in
            cohort.synced.map { synced in
                Cohort(
                    index: index,
                    condition: synced.condition,
                    lookUps: synced.names.map { PropertyLookUp($0, names: &names) }
                )
            }
        }
        differing = [UInt64](repeating: 0, count: cohorts.count)
    }

    /// Notes that the values of a user in hand, 0...63, may differ for a cohort, by its place in ``cohorts``.
    mutating func mayDiffer(_ user: Int, cohort: Int) {
        differing[cohort] |= 1 << UInt64(user)
    }

    /// Whether that was noted.
    func differs(_ user: Int, cohort: Int) -> Bool {
        differing[cohort] >> UInt64(user) & 1 != 0
    }

    /// Forgets what was noted: other users come.
    mutating func takeNextUsers() {
        for cohort in differing.indices { differing[cohort] = 0 }
    }

    /// Forgets what the last tick found.
    mutating func removeAll() {
        rows.removeAll(keepingCapacity: rows.capacity <= Self.bytesKept / MemoryLayout<Row>.stride)
        cells.removeAll(keepingCapacity: cells.capacity <= Self.bytesKept)
    }

    /// Adds what a user has of a cohort's properties at a tick.
    mutating func append(
        _ cohort: Cohort,
        _ slot: UserSlot,
        entered: Bool,
        _ properties: SlabRow,
        at tick: EventTime,
        in lists: borrowing PropertyLists
    ) {
        cohort.append(properties, at: tick, in: lists, to: &cells)
        let cohort = UInt32(cohort.index)
        rows.append(Row(cohort: cohort, slot: slot, entered: entered, end: cells.count))
    }

    /// Lends what was added, in that order.
    func forEach(
        _ body: (_ cohort: Int, _ slot: UserSlot, _ entered: Bool, _ cells: ByteView) -> Void
    ) {
        cells.withByteView { all in
            var start = 0
            for row in rows {
                let cells = ByteView(base: all.base + start, count: row.end - start)
                body(Int(row.cohort), row.slot, row.entered, cells)
                start = row.end
            }
        }
    }
}

extension SyncedValues.Cohort {
    /// Appends a user's ``PropertyCells`` at a tick.
    func append(
        _ properties: SlabRow,
        at tick: EventTime,
        in lists: borrowing PropertyLists,
        to cells: inout [UInt8]
    ) {
        for lookUp in lookUps {
            PropertyCells.append(lookUp.value(properties, at: tick, in: lists), to: &cells)
        }
    }
}
