import Basics

@testable import Sync

// The partitions: logs that users write, and engines that fall back.

extension Simulation {
    /// A few users change; the first six of them have events in every partition.
    func write(_ index: Int) {
        for _ in 0..<generator.number(in: 1...3) {
            let number = generator.below(18)
            let user = number < 6 ? "split\(number)" : "u\(index)-\(number)"
            var change = SimulatedPartition.Change(user: user)
            if generator.chance(percent: 20) {
                change.name = generator.chance(percent: 15) ? "" : "n\(generator.below(9))"
            } else {
                change.cohort = generator.pick(Self.cohorts)
                change.entered = generator.chance(percent: 55)
            }
            partitions[index].log.append(change)
        }
        guard generator.chance(percent: 2) else { return }
        // Everybody leaves at once.
        for cohort in Self.cohorts {
            let end = Offset(partitions[index].log.count)
            for user in partitions[index].members(of: cohort, at: end).sorted() {
                partitions[index].log.append(SimulatedPartition.Change(cohort: cohort, user: user))
            }
        }
    }

    func runEngine(_ index: Int) {
        let partition = partitions[index]
        let id = PartitionID(index)
        switch partition.phase {
        case .unavailable:
            guard !isFaulty || generator.chance(percent: 20) else { return }
            reset(index, to: liveCut(index))
            partitions[index].phase = .live
        case .starting:
            guard !isFaulty || generator.chance(percent: 50) else { return }
            if isFaulty, !partition.cuts.isEmpty, generator.chance(percent: 70) {
                let back = max(0, partition.cuts.count - generator.number(in: 1...6))
                reset(index, to: partition.cuts[back])
                partitions[index].phase = .repeating(back + 1)
            } else {
                reset(index, to: liveCut(index))
                partitions[index].phase = .live
            }
        case .repeating(let next):
            guard !isFaulty || generator.chance(percent: 70) else { return }
            // A tick may be left out, its changes come with a later one.
            let wanted = next + (generator.chance(percent: 20) ? 1 : 0)
            if wanted < partition.cuts.count {
                move(index, to: partition.cuts[wanted])
                partitions[index].phase = .repeating(wanted + 1)
            } else {
                partitions[index].phase = .live
            }
        case .live:
            if isFaulty, generator.chance(percent: 2) {
                planner.partitionUnavailable(id, now: now)
                partitions[index].phase = .unavailable
            } else if !isFaulty || generator.chance(percent: 70) {
                let cut = liveCut(index)
                if cut.tick > partition.position.tick { move(index, to: cut) }
            }
        }
    }

    /// Where the engine can be now; it may be behind the clock, each partition by as much as it likes.
    private func liveCut(_ index: Int) -> Cut {
        var tick = EventTime(milliseconds: time).roundedDown(toMultipleOf: Self.tickWidth)
        if isFaulty, generator.chance(percent: 40) {
            tick = tick - Int64(generator.below(8)) * Self.tickWidth
        }
        return Cut(
            offset: Offset(partitions[index].log.count),
            tick: max(tick, partitions[index].position.tick)
        )
    }

    private func reset(_ index: Int, to cut: Cut) {
        for cohort in Self.cohorts {
            let users = partitions[index].members(of: cohort, at: cut.offset).sorted()
            let cells = users.map {
                PropertyCells.of([partitions[index].name(of: $0, at: cut.offset)])
            }
            planner.membershipReset(
                partition: PartitionID(index),
                cohort: cohort,
                users: UserList(users),
                cells: UserList(bytes: cells),
                cut: cut,
                now: now
            )
        }
        arrive(index, at: cut)
    }

    private func move(_ index: Int, to cut: Cut) {
        planner.tick(
            partition: PartitionID(index),
            cut: cut,
            changes: partitions[index].difference(
                from: partitions[index].position.offset,
                to: cut.offset,
                cohorts: Self.cohorts
            ),
            now: now
        )
        arrive(index, at: cut)
    }

    private func arrive(_ index: Int, at cut: Cut) {
        partitions[index].position = cut
        partitions[index].lastKnown = cut
        partitions[index].lastKnownIn = process
        if partitions[index].cuts.last.map({ $0.tick < cut.tick }) ?? true {
            partitions[index].cuts.append(cut)
        }
    }
}
