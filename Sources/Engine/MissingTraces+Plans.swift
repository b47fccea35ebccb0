import Basics
public import Cohorts

extension MissingTraces {
    /// What the state of a shard that runs one plan will lack once it runs another.
    public init(
        from plan: Plan,
        _ settings: ShardSettings,
        to other: Plan,
        _ otherSettings: ShardSettings
    ) {
        // A snapshot says what it has, and whoever reads it what is missing: here one of nobody.
        var shard = Shard(plan: plan, settings: settings)
        var records: [(StateRecord, [UInt8])] = []
        shard.encodeAll { records.append(($0, $1.array)) }
        var successor = Shard(plan: other, settings: otherSettings)
        var restoring = StateRestore()
        for (kind, bytes) in records {
            bytes.withByteView { payload in
                do throws(StateError) {
                    try successor.restore(kind, payload, into: &restoring)
                } catch {
                    preconditionFailure("a snapshot cannot be read back: \(error.text)")
                }
            }
        }
        self = successor.finishRestore(restoring, tick: nil, floor: .distantPast).missingTraces
    }
}
