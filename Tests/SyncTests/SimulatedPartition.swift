import Basics

@testable import Sync

/// A partition and its engine: a log of changes, the ticks made so far, and where the engine is.
struct SimulatedPartition {
    struct Change {
        /// Empty where the user's name changes.
        var cohort = ""
        var user: String
        var entered = false
        var name = ""
    }

    enum Phase {
        /// The engine starts; it will give its membership.
        case starting
        /// It repeats the ticks from this one on.
        case repeating(Int)
        case live
        case unavailable
    }

    var log: [Change] = []
    /// Every tick ever made durable, in order.
    var cuts: [Cut] = []
    var position = Cut(offset: 0, tick: EventTime(milliseconds: 0))
    /// Where it was when the journal was last committed: what the planner must know for ever.
    var committed = Cut(offset: 0, tick: EventTime(milliseconds: 0))
    /// Where it was when the planner heard of it last, or remembers to have.
    var lastKnown = Cut(offset: 0, tick: EventTime(milliseconds: 0))
    /// The processes that heard of these two.
    var committedIn = 0
    var lastKnownIn = 0
    var phase = Phase.starting

    /// Who is in a cohort after the first `offset` changes.
    func members(of cohort: String, at offset: Offset) -> Set<String> {
        var members: Set<String> = []
        for change in log[..<Int(offset)] where change.cohort == cohort {
            if change.entered { members.insert(change.user) } else { members.remove(change.user) }
        }
        return members
    }

    /// Whether a user is in a cohort after the first `offset` changes.
    func isMember(_ user: String, of cohort: String, at offset: Offset) -> Bool {
        var position = Int(offset)
        while position > 0 {
            position -= 1
            if log[position].user == user, log[position].cohort == cohort {
                return log[position].entered
            }
        }
        return false
    }

    /// What a user's property is after the first `offset` changes; several users have the same, some have none.
    func name(of user: String, at offset: Offset) -> String {
        let newest = log[..<Int(offset)].last { $0.cohort.isEmpty && $0.user == user }
        if let newest { return newest.name }
        return user.hasSuffix("7") ? "" : "n\(user.utf8.reduce(0) { ($0 + Int($1)) % 9 })"
    }

    /// The names of those who are in.
    func names(of cohort: String, at offset: Offset) -> Set<String> {
        Set(members(of: cohort, at: offset).map { name(of: $0, at: offset) }).subtracting([""])
    }

    /// Who is in at one offset and not at the other, and who is called something else.
    func difference(from: Offset, to: Offset, cohorts: [String]) -> MembershipChanges {
        var changes = MembershipChanges(cohorts: cohorts)
        for (number, cohort) in cohorts.enumerated() {
            var seen: Set<String> = []
            for change in log[Int(from)..<Int(to)]
            where change.cohort == cohort && seen.insert(change.user).inserted {
                let after = isMember(change.user, of: cohort, at: to)
                guard after != isMember(change.user, of: cohort, at: from) else { continue }
                append(change.user, to: &changes, number, after ? .entered : .left, at: to)
            }
            var renamed: Set<String> = []
            for change in log[Int(from)..<Int(to)]
            where change.cohort.isEmpty && renamed.insert(change.user).inserted {
                if isMember(change.user, of: cohort, at: from),
                    isMember(change.user, of: cohort, at: to)
                {
                    append(change.user, to: &changes, number, .updated, at: to)
                }
            }
        }
        return changes
    }

    private func append(
        _ user: String,
        to changes: inout MembershipChanges,
        _ cohort: Int,
        _ change: MembershipChange,
        at offset: Offset
    ) {
        user.withByteView { id in
            PropertyCells.of([name(of: user, at: offset)])
                .withByteView { changes.append(cohort: cohort, user: id, change, cells: $0) }
        }
    }
}
