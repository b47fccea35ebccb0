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
