import Basics
import Cohorts
import Events
import Testing

@testable import Engine

extension Shard {
    /// Puts one in its place that is made from stored records, as after a restart.
    mutating func restart(
        _ plan: Plan,
        _ settings: ShardSettings,
        from records: [StoredRecord]
    ) throws -> RestoreReport {
        var fresh = Shard(plan: plan, settings: settings)
        var restoring = StateRestore()
        for record in records {
            try record.payload.withByteView { (bytes: ByteView) throws(StateError) in
                try fresh.restore(record.kind, bytes, into: &restoring)
            }
        }
        let report = fresh.finishRestore(restoring, tick: lastTick, floor: floor)
        self = fresh
        return report
    }

    /// Everything of it, as it would be stored.
    mutating func stored() -> [StoredRecord] {
        var records: [StoredRecord] = []
        encodeAll { records.append(StoredRecord(kind: $0, payload: $1.array)) }
        return records
    }

    /// Applies the events of a line of JSON, which must be a good one.
    mutating func apply(
        _ json: String,
        _ decoder: inout EventDecoder,
        isHistory: Bool = false
    ) {
        json.withByteView { bytes in
            guard case .events = decoder.begin(bytes, source: .log(nil)) else {
                Issue.record("\(json) is no event")
                return
            }
            while let outcome = decoder.next(previousArrival: nil) {
                guard case .event(let event) = outcome else {
                    Issue.record("\(json) is refused")
                    return
                }
                _ = isHistory ? reapply(event) : apply(event)
            }
        }
    }

    /// Who is in each cohort, in the plan's order; ids sorted.
    func members() -> [[String]] {
        var members: [[String]] = []
        for cohort in plan.cohorts.indices {
            var users: [String] = []
            forEachMember(cohort: cohort) {
                users.append(String(decoding: userID($0).array, as: UTF8.self))
            }
            members.append(users.sorted())
        }
        return members
    }
}

extension EventDecoder {
    /// A decoder of what a plan reads, with room for every event of a test.
    init(_ plan: Plan) {
        self.init(extraction: plan.extraction, eventBytesMax: 1 << 20, futureMax: 86_400_000)
    }
}
