import Basics
import Sync

/// The engines of two partitions: at each tick some users enter, leave, or get another e-mail address.
///
/// What a tick holds is kept, because an engine that falls back repeats it.
struct SimulatedEngine {
    static let cohorts = ["c0", "c1"]
    /// 2026-01-02T03:04:00Z.
    private static let start: Int64 = 1_767_323_040_000

    private struct Snapshot {
        var cut: Cut
        /// Versions of e-mail addresses by user, by cohort.
        var members: [[String: Int]]
    }

    private struct Partition {
        var history: [Snapshot]
        var position = 0
    }

    private var partitions: [Partition]
    private var emails: [String: Int] = [:]

    init() {
        let first = Snapshot(
            cut: Cut(offset: 0, tick: EventTime(milliseconds: Self.start)),
            members: [[:], [:]]
        )
        partitions = Array(repeating: Partition(history: [first]), count: 2)
    }

    static func user(_ number: Int) -> String { "CANARY-u\(number)" }
    static func email(_ user: String, _ version: Int) -> String { "\(user).\(version)@x.example" }

    /// The e-mail addresses of everybody who is in a cohort.
    func members(of cohort: Int) -> [String: String] {
        var members: [String: String] = [:]
        for partition in partitions {
            for (user, version) in partition.history[partition.position].members[cohort] {
                members[user] = Self.email(user, version)
            }
        }
        return members
    }

    /// Whether every engine is at its newest tick.
    var isCaughtUp: Bool { partitions.allSatisfy { $0.position == $0.history.count - 1 } }

    /// Makes a new tick in which these users change: `isIn` of nil gives them another address.
    mutating func write(_ changes: [(user: Int, cohort: Int, isIn: Bool?)]) {
        for index in partitions.indices {
            var next = partitions[index].history[partitions[index].history.count - 1]
            for change in changes where Self.isIn(change.user, partition: index) {
                let user = Self.user(change.user)
                switch change.isIn {
                case true?: next.members[change.cohort][user] = emails[user, default: 0]
                case false?: next.members[change.cohort][user] = nil
                case nil:
                    emails[user, default: 0] += 1
                    for cohort in next.members.indices where next.members[cohort][user] != nil {
                        next.members[cohort][user] = emails[user]
                    }
                }
            }
            let count = partitions[index].history.count
            next.cut = Cut(
                offset: Offset(count),
                tick: EventTime(milliseconds: Self.start + Int64(count) * 60_000)
            )
            partitions[index].history.append(next)
        }
    }

    /// The first three users have events in both partitions, in which they do the same.
    private static func isIn(_ user: Int, partition: Int) -> Bool {
        user < 3 || user % 2 == partition
    }

    /// Tells the planner of the next ticks, at most so many of each partition.
    mutating func advance(_ planner: inout SyncPlanner, ticks: Int = .max, now: Int64) {
        for index in partitions.indices {
            var left = ticks
            while left > 0, partitions[index].position < partitions[index].history.count - 1 {
                left -= 1
                let before = partitions[index].history[partitions[index].position]
                partitions[index].position += 1
                let after = partitions[index].history[partitions[index].position]
                planner.tick(
                    partition: PartitionID(index),
                    cut: after.cut,
                    changes: Self.difference(before, after),
                    now: now
                )
            }
        }
    }

    /// The planner is new: tells it of everybody, as of some ticks ago.
    mutating func reset(_ planner: inout SyncPlanner, ticksBack: Int, now: Int64) {
        for index in partitions.indices {
            partitions[index].position = max(0, partitions[index].position - ticksBack)
            let snapshot = partitions[index].history[partitions[index].position]
            planner.partitionWaiting(PartitionID(index))
            for (number, cohort) in Self.cohorts.enumerated() {
                var users = UserList()
                var cells = UserList()
                for (user, version) in snapshot.members[number].sorted(by: { $0.key < $1.key }) {
                    users.append(user)
                    Self.cells(user, version).withByteView { cells.append($0) }
                }
                planner.membershipReset(
                    partition: PartitionID(index),
                    cohort: cohort,
                    users: users,
                    cells: cells,
                    cut: snapshot.cut,
                    now: now
                )
            }
        }
    }

    private static func cells(_ user: String, _ version: Int) -> [UInt8] {
        var cells: [UInt8] = []
        email(user, version).withByteView { PropertyCells.append(.text, $0, to: &cells) }
        return cells
    }

    private static func difference(_ before: Snapshot, _ after: Snapshot) -> MembershipChanges {
        var changes = MembershipChanges(cohorts: cohorts)
        for cohort in cohorts.indices {
            let (old, new) = (before.members[cohort], after.members[cohort])
            for user in Set(old.keys).union(new.keys).sorted() where old[user] != new[user] {
                let change: MembershipChange =
                    new[user] == nil ? .left : old[user] == nil ? .entered : .updated
                let cells = new[user].map { Self.cells(user, $0) } ?? []
                user.withByteView { id in
                    cells.withByteView {
                        changes.append(cohort: cohort, user: id, change, cells: $0)
                    }
                }
            }
        }
        return changes
    }
}
