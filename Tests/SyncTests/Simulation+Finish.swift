import Basics

@testable import Sync

// The end: faults are over, and everything must come to agree.

extension Simulation {
    /// Faults are over: everything must come to agree.
    func finish() {
        // The last refusals come in; who is paused by one needs a person, or a restart that tries once.
        pass(3 * Self.timeout)
        if generator.chance(percent: 50) { crash() }
        for sync in syncs { _ = planner.command(.resume, sync: sync.id, now: now) }
        for _ in 0..<300 {
            pass(500)
            for index in partitions.indices { runEngine(index) }
            plan()
            for status in planner.status(now: now) { help(status) }
            if let wakeAt, wakeAt > now { pass(min(wakeAt - now, 60_000)) }
            let isDone =
                planner.status(now: now).allSatisfy(isAtRest)
                && planner.machines.allSatisfy { $0.doubts.isEmpty }
                && partitions.allSatisfy { $0.position.offset == Offset($0.log.count) }
                && receiver.queue.isEmpty
                && deleted.allSatisfy { planner.machineOfSync[$0] == nil }
            if isDone { break }
        }
        rewrite()
        checker.finished()
        // What was lost on the way may still be applied.
        while let last = receiver.queue.map(\.time).max() { pass(last - time) }
        for status in planner.status(now: now) where !isAtRest(status) {
            checker.problems.append("I4: not at rest: \(status)")
        }
        for sync in syncs {
            var wanted: Set<String> = []
            let isDeleted = deleted.contains(sync.id)
            if isDeleted, planner.machineOfSync[sync.id] != nil {
                checker.problems.append("\(sync.id) was deleted and is still there")
            }
            for partition in partitions where !isDeleted {
                let end = Offset(partition.log.count)
                wanted.formUnion(
                    checker.named.contains(sync.id)
                        ? partition.names(of: sync.cohortID, at: end)
                        : partition.members(of: sync.cohortID, at: end)
                )
            }
            // Nobody is on a list that is gone, which a deleted sync does not make again.
            let hasNoList = isDeleted && receiver.lists[sync.id] ?? 0 < 0
            let held = hasNoList ? [] : receiver.members[sync.id] ?? []
            if isDeleted, held.count == refused[sync.id] { continue }
            if held != wanted {
                let missing = wanted.subtracting(held).sorted()
                let extra = held.subtracting(wanted).sorted()
                checker.problems.append("I4: \(sync.id) lacks \(missing), has too many \(extra)")
            }
        }
    }

    private func isAtRest(_ status: SyncStatus) -> Bool {
        status.pendingUsers == 0 && [.live, .done].contains(status.state)
    }

    /// Does for a sync what a person would.
    private func help(_ status: SyncStatus) {
        if status.exitsToApprove != nil {
            _ = planner.command(.approve, sync: status.sync, now: now)
            // Until then whoever was skipped could not be tried again.
            _ = planner.command(.resume, sync: status.sync, now: now)
        } else if [.paused, .failed].contains(status.state) {
            _ = planner.command(.resume, sync: status.sync, now: now)
        } else if status.state == .done, status.pendingUsers > 0 {
            _ = planner.command(.run, sync: status.sync, now: now)
        }
    }
}
