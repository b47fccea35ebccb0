import Basics
import Engine
import HTTPAPI
import LogStore
import Threads

extension PartitionWorker {
    /// Makes a step of a halted partition durable, and readies it to be started again.
    func goOn(_ step: LogStep) -> LogStepOutcome {
        guard phase == .halted else { return .refused("partition \(partition) is not halted") }
        if let gap = step.gap {
            let stands = gap.isOfCommands ? commandsNext ?? 0 : next
            guard gap.from == stands else {
                return .refused("partition \(partition) stands at offset \(stands) now")
            }
            // What is in the state already must not wait for what comes after the gap.
            commit()
            if isDirty, rebuildEnd == nil {
                return .refused(
                    "Kafka has not confirmed the dead letters of partition \(partition) yet"
                )
            }
            leaveOut(gap)
            do throws(DaemonError) {
                try writeGap(gap)
            } catch {
                environment.control.postAtOnce(.fatal(error))
                return .refused(error.text)
            }
        }
        phase = .opened
        report.haltReason = nil
        setState(.restoring)
        return .moved(position, firstOffset: firstOffset)
    }

    /// Whether the snapshot is still the one that a rebuild begins from.
    private var isRebuildPending: Bool {
        !opened.missingTraces.isEmpty && needsRebuild || rebuildEnd != nil
    }

    private func leaveOut(_ gap: LogGap) {
        gaps.append(gap)
        areGapsWritten = false
        if gap.isOfCommands {
            base.commands += max(0, (commandsNext ?? 0) - gap.to)
            commandsNext = gap.to
            return
        }
        base.events += max(0, next - gap.to)
        next = gap.to
        // What was left out does not change what stands before it.
        if gap.cause != .skipped { fingerprint = nil }
        if gap.cause == .anew {
            firstOffset = gap.to
            // The past of the other log is gone, and the new one is read from here on.
            if let until = fill?.until { fill?.next = until }
        }
    }

    private func writeGap(_ gap: LogGap) throws(DaemonError) {
        guard isRebuildPending, var cut = durableCut else {
            isDirty = true
            do throws(StoreError) { try save() } catch { cannotSave(error) }
            return
        }
        // Nothing of a rebuild may be stored before it is over: the same state, with where it goes on.
        if gap.isOfCommands {
            let commands = cut.position.commands ?? 0
            cut.position.commands = gap.cause == .anew ? gap.to : max(commands, gap.to)
        } else {
            let events = cut.position.events
            cut.position.events = gap.cause == .anew ? gap.to : max(events, gap.to)
            if gap.cause != .skipped { cut.fingerprint = nil }
        }
        cut.base = base
        cut.firstOffset = firstOffset
        appendGaps()
        do throws(StoreError) {
            try cut.encoded.withByteView { (bytes) throws(StoreError) in try log.commit(cut: bytes)
            }
        } catch {
            throw DaemonError(error)
        }
        durableCut = cut
        areGapsWritten = true
        if rebuildEnd != nil { rebuildEnd = cut.position }
    }

    /// Appends the record of all gaps to the open group of the log.
    func appendGaps() {
        gaps.encoded.withByteView { log.append(type: LogGaps.recordType, payload: $0) }
    }

    /// Finds out which cohorts look back over a gap at an instant, and shows it.
    func lookOverGaps(at tick: EventTime) {
        guard !gaps.isEmpty else { return }
        report.doubtful = gaps.doubtful(
            at: tick,
            environment.plan,
            accepted: environment.acceptedHistory
        )
        if report.state == .live || report.state == .degraded { report.state = liveState }
    }

    /// What a partition is that has caught up.
    var liveState: StatusReport.PartitionState {
        report.doubtful.contains(true) ? .degraded : .live
    }

    /// Of each synced cohort, whether no exit of it is certain at the tick that was looked at last.
    var holdsExits: [Bool] {
        environment.syncedCohorts.map {
            report.doubtful.indices.contains($0) && report.doubtful[$0]
        }
    }
}
