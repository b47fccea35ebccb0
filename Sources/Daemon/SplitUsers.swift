import Basics
import Synchronization
import Telemetry
import Threads

/// Finds users whose events are in more than one partition: each partition counts them alone, so what a cohort says
/// of them cannot be exact.
///
/// Of all users one in ``sampleOf`` is looked at, by the hash of the id, so that the same ones are in every partition.
/// Every engine thread tells it which users it has.
final class SplitUsers: Sendable {
    /// Of so many users one is looked at.
    static let sampleOf: UInt64 = 256
    /// The most users of a partition that are looked at in one go.
    static let slotsMax = 16_384
    /// A warning is repeated after a day.
    private static let warnMilliseconds: Int64 = 86_400_000

    private struct State {
        /// Where a user of the sample was seen first, by the hash of the id.
        var partitions: [UInt64: PartitionID] = [:]
        var split: Set<UInt64> = []
        var warnedAt: Int64?
    }

    private let state = Mutex(State())

    /// The hash of a user who is looked at; nil for the others.
    static func sampled(_ user: ByteView) -> UInt64? {
        let hash = Hashing.hash64(user)
        return hash % sampleOf == 0 ? hash : nil
    }

    /// Notes users of a partition, those of the sample.
    ///
    /// - Returns: About how many users are split, where it is time to warn of them.
    func note(_ users: [UInt64], in partition: PartitionID, now: Int64) -> Int? {
        if users.isEmpty { return nil }
        return state.withLock { state in
            for user in users {
                if let other = state.partitions[user] {
                    if other != partition { state.split.insert(user) }
                } else {
                    state.partitions[user] = partition
                }
            }
            if state.split.isEmpty { return nil }
            if let at = state.warnedAt, now - at < Self.warnMilliseconds { return nil }
            state.warnedAt = now
            return state.split.count * Int(Self.sampleOf)
        }
    }

    /// About how many users are split.
    var estimate: Int { state.withLock { $0.split.count * Int(Self.sampleOf) } }
}
