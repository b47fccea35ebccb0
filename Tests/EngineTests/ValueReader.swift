import Basics
import Cohorts
import Engine
import TestKit

/// What whoever reads a shard's ticks knows of members' synced properties: everyone's values once, and from then on
/// only what each tick reports.
struct ValueReader {
    private var hasAll = false
    /// By user, for each cohort of the plan.
    private(set) var values: [[[UInt8]: [OracleCell]]] = []
    /// How many reports said that a value may differ, and in how many of them one did.
    private(set) var updates = 0
    private(set) var changes = 0

    /// Forgets that it has everyone's values, as after a restart.
    mutating func restart() { hasAll = false }

    /// Reads the last tick, which is over.
    mutating func take(_ shard: borrowing Shard, _ deltas: [Delta]) {
        if !hasAll {
            hasAll = true
            takeAll(shard)
            return
        }
        for delta in deltas where !delta.entered {
            values[delta.cohort][shard.userID(delta.slot).array] = nil
        }
        var reports: [(cohort: Int, user: [UInt8], entered: Bool, cells: [OracleCell])] = []
        shard.forEachSyncedChange { cohort, slot, entered, cells in
            let count = shard.plan.cohorts[cohort].synced?.names.count ?? 0
            let user = shard.userID(slot).array
            reports.append((cohort, user, entered, Self.cells(cells, count)))
        }
        for (cohort, user, entered, cells) in reports {
            let old = values[cohort].updateValue(cells, forKey: user)
            // Who is in cannot enter, and of who is not nothing changes: such a report spoils what is known.
            if entered == (old != nil) { values[cohort][user] = nil }
            if !entered { updates += 1 }
            if !entered, old != cells { changes += 1 }
        }
    }

    private mutating func takeAll(_ shard: borrowing Shard) {
        values = []
        for (index, cohort) in shard.plan.cohorts.enumerated() {
            var all: [[UInt8]: [OracleCell]] = [:]
            if let synced = cohort.synced {
                shard.forEachMember(cohort: index) { slot in
                    var cells: [UInt8] = []
                    shard.appendValues(of: slot, cohort: index, to: &cells)
                    all[shard.userID(slot).array] = cells.withByteView {
                        Self.cells($0, synced.names.count)
                    }
                }
            }
            values.append(all)
        }
    }

    private static func cells(_ cells: ByteView, _ count: Int) -> [OracleCell] {
        (0..<count).map { index in
            let (kind, value) = PropertyCells.value(index, of: cells)
            return OracleCell(kind: "\(kind)", text: value.array)
        }
    }
}
