import Basics
import Cohorts
import Engine
import LogStore
import Telemetry
import Threads

extension PartitionWorker {
    /// Opens the partition's log and restores the shard as of its last commit.
    static func open(
        _ partition: PartitionID,
        _ environment: EngineEnvironment
    ) throws(DaemonError) -> PartitionWorker {
        var shard = Shard(plan: environment.plan, settings: environment.settings)
        var restoring = StateRestore()
        var gaps = LogGaps()
        let log: CommitLog<DiskFileSystem>
        do throws(StoreError) {
            log = try CommitLog.open(
                DiskFileSystem(),
                directory: "\(environment.directory)/\(partition)",
                identity: LogIdentity(
                    store: environment.store,
                    topic: environment.topic,
                    partition: partition
                ),
                createIfMissing: true
            ) { (entry: LogEntry) throws(RecordRefused) in
                guard case .record(let type, let payload) = entry else { return }
                if type == LogGaps.recordType {
                    guard let read = LogGaps(payload) else {
                        throw RecordRefused("a list of gaps that this version cannot read")
                    }
                    gaps = read
                    return
                }
                guard let kind = StateRecord(rawValue: type) else {
                    throw RecordRefused("a record of the unknown type \(type)")
                }
                do throws(StateError) {
                    try shard.restore(kind, payload, into: &restoring)
                } catch {
                    throw RecordRefused(error.text)
                }
            }
        } catch {
            throw DaemonError(error)
        }
        if let tail = log.recovery.tail {
            environment.logger.notice(
                "torn_tail_kept",
                "the bytes of an interrupted commit were set aside; nothing committed is lost",
                ["partition": LogValue(partition), "file": LogValue(tail)]
            )
        }
        guard let bytes = log.recovery.cut else {
            return PartitionWorker(
                partition,
                environment,
                opened: OpenedPartition(
                    partition: partition,
                    cut: nil,
                    missingTraces: MissingTraces()
                ),
                shard: shard,
                log: log
            )
        }
        guard let cut = PartitionCut(bytes) else {
            throw DaemonError(
                status: DaemonError.Status.damagedData,
                "the state of partition \(partition) was written by another version of cohortd: "
                    + "run that version"
            )
        }
        let restored = shard.finishRestore(
            restoring,
            tick: cut.tick,
            floor: cut.floor,
            // Where no command was ever read, all of them are to come.
            hasUploads: cut.position.commands != nil
        )
        let missing = restored.missingTraces
        let worker = PartitionWorker(
            partition,
            environment,
            opened: OpenedPartition(
                partition: partition,
                cut: cut,
                missingTraces: missing
            ),
            gaps: gaps,
            shard: shard,
            log: log
        )
        // Else it is once the filling begins.
        if restored.mustRewrite, missing.isEmpty {
            do throws(StoreError) { try worker.rewrite() } catch { throw DaemonError(error) }
        }
        return worker
    }

    /// How long a snapshot that cannot come later waits for dead letters.
    private static let settleMilliseconds: Int64 = 5000

    /// Makes what changed durable, if anything did; later where a dead letter is still on its way.
    func commitIfDirty(now: Int64) {
        guard environment.rejects.isSettled(partition) else {
            if (now - committedAt) / 2 >= environment.snapshotInterval { warnOfDeadLetters() }
            return
        }
        committedAt = now
        if isDirty { commit() }
    }

    /// Makes the state durable as of ``next``, once there is space on the disk.
    ///
    /// Another error ends the process, and what was durable stays.
    func commit() {
        guard isDirty, !isStalled else { return }
        // Until a rebuild is over, the snapshot it began from is the last one, also while it is halted.
        if rebuildEnd != nil { return }
        guard mayPassDeadLetters else { return }
        do throws(StoreError) { try save() } catch { cannotSave(error) }
    }

    /// Whether the dead letters of everything before ``next`` are safe, after a moment at the latest.
    var mayPassDeadLetters: Bool {
        let rejects = environment.rejects
        if rejects.settle(partition, timeoutMilliseconds: Self.settleMilliseconds) { return true }
        warnOfDeadLetters()
        return false
    }

    private func warnOfDeadLetters() {
        environment.logger.warning(
            "snapshot_waits",
            "Kafka has not confirmed dead letters, so no snapshot passes their events; they are read again after a"
                + " restart",
            ["partition": LogValue(partition)],
            repeatKey: "\(partition)"
        )
    }

    func writeChanges() throws(StoreError) {
        heartbeat.beat(.long)
        if needsWholeState {
            shard.encodeAll { log.append(type: $0.rawValue, payload: $1) }
        } else {
            shard.encodeChanges { log.append(type: $0.rawValue, payload: $1) }
        }
        if !areGapsWritten { appendGaps() }
        let cut = cut
        try cut.encoded.withByteView { (bytes) throws(StoreError) in try log.commit(cut: bytes) }
        needsWholeState = false
        committed(cut)
        guard log.shouldRewrite(liveBytes: shard.liveBytes) else { return }
        do throws(StoreError) {
            try rewrite()
        } catch {
            // All is durable as it is; another time is as good.
            if !error.isRetriable { throw error }
        }
    }

    /// Writes the whole state into a new generation of the log.
    func rewrite() throws(StoreError) {
        heartbeat.beat(.long)
        let cut = cut
        try log.beginRewrite()
        shard.encodeAll { log.append(type: $0.rawValue, payload: $1) }
        if !gaps.isEmpty { appendGaps() }
        try cut.encoded.withByteView { (bytes) throws(StoreError) in
            try log.finishRewrite(cut: bytes)
        }
        committed(cut)
    }

    private var cut: PartitionCut {
        PartitionCut(
            position: position,
            tick: shard.lastTick,
            floor: shard.floor,
            firstOffset: firstOffset,
            base: base,
            fingerprint: fingerprint
        )
    }

    private func committed(_ cut: PartitionCut) {
        heartbeat.beat()
        durableCut = cut
        areGapsWritten = true
        isDirty = false
        bytesSinceCommit = 0
        committedAt = environment.clock.monotonicMilliseconds
        report.snapshotAt = committedAt
        environment.control.postAtOnce(.durable(partition, next))
    }

    /// The last snapshot; the worker is of no use afterwards.
    func finish() throws(DaemonError) {
        if isDirty, phase != .halted, phase != .opened {
            if rebuildEnd == nil, mayPassDeadLetters {
                do throws(StoreError) { try save() } catch { throw DaemonError(error) }
            }
        }
    }
}
