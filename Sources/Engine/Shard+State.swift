public import Basics
import Cohorts
import Events

/// The records a shard's state is stored as.
///
/// Byte tables: docs/formats.md, "Engine state".
public enum StateRecord: UInt8, Sendable {  // stored: do not renumber
    /// Which traces and cohorts the rows that follow refer to.
    case plan = 1
    /// Property names, in the order of their numbers.
    case names = 2
    /// Everything about one user; a later one replaces an earlier one.
    case user = 3
    /// Dedupe entries, in no order.
    case dedupe = 4
}

/// Why stored state could not be read.
public struct StateError: Error {
    /// What was wrong, for a log line.
    public let text: String
}

/// Traces of a plan that must be filled from history.
public struct MissingTraces: Sendable, Equatable {
    /// Plain traces, by index in the plan.
    public var traces: Set<Int> = []
    /// Record traces, by index in the plan.
    public var recordTraces: Set<Int> = []
    /// Everyone's property values: they were kept under another `identify` rule.
    public var properties = false
    /// Lists of uploaded users, by index of their cohort in the plan.
    public var uploads: Set<Int> = []

    /// Nothing is missing.
    public init() {}

    /// Whether nothing is missing.
    public var isEmpty: Bool { !needsEvents && uploads.isEmpty }

    /// Whether something is missing that events fill.
    public var needsEvents: Bool { !traces.isEmpty || !recordTraces.isEmpty || properties }
}

/// What a shard found when it had read its state.
public struct RestoreReport: Sendable {
    /// What of the plan the state lacks, or does not reach back far enough for.
    public let missingTraces: MissingTraces
    /// Whether the stored rows do not fit the plan as they stand, so that all must be written anew.
    public let mustRewrite: Bool
}

extension Shard {
    private static let dedupeChunk = 2048

    // MARK: Writing

    /// Hands over everything that changed since the last call, as records.
    public mutating func encodeChanges(_ emit: (StateRecord, ByteView) -> Void) {
        precondition(
            settings.keepsChanges,
            "a shard that does not keep its changes has none to hand over"
        )
        precondition(!isTicking, "state in the middle of a tick")
        settle()
        var writer = ByteWriter(capacity: 4096)
        encodeNames(from: savedNames, &writer, emit)
        savedNames = names.count
        for position in unsaved.indices {
            let slot = unsaved[position]
            records[Int(slot)].isUnsaved = false
            encodeUser(slot, &writer)
            writer.bytes.withByteView { emit(.user, $0) }
        }
        unsaved.removeAll(keepingCapacity: true)
        var start = 0
        while start < unsavedDedupe.count {
            let end = min(unsavedDedupe.count, start + Self.dedupeChunk)
            encodeDedupe(unsavedDedupe[start..<end], &writer, emit)
            start = end
        }
        unsavedDedupe.removeAll(keepingCapacity: true)
    }

    /// Hands over the whole state, as records; what changed counts as handed over.
    public mutating func encodeAll(_ emit: (StateRecord, ByteView) -> Void) {
        precondition(!isTicking, "state in the middle of a tick")
        settle()
        var writer = ByteWriter(capacity: 4096)
        writer.write(UInt8(settings.identifyWaits ? 1 : 0))
        writer.write(UInt32(plan.traces.count))
        for trace in plan.traces {
            writer.write(trace.identity)
            writer.write(trace.horizon)
        }
        writer.write(UInt32(plan.recordTraces.count))
        for trace in plan.recordTraces {
            writer.write(trace.identity)
            writer.write(trace.retention.horizon ?? .max)
            writer.write((trace.retention.since ?? .distantFuture).milliseconds)
            writer.write(UInt8(trace.words))
        }
        writer.write(UInt32(plan.cohorts.count))
        for cohort in plan.cohorts { writer.write(cohort.identity) }
        writer.write(UInt32(uploadLists.count))
        for cohort in uploadLists { writer.write(prefixed: plan.cohorts[cohort].id) }
        writer.bytes.withByteView { emit(.plan, $0) }
        encodeNames(from: 0, &writer, emit)
        savedNames = names.count
        for slot in 0..<UserSlot(users.count) {
            records[Int(slot)].isUnsaved = false
            encodeUser(slot, &writer)
            writer.bytes.withByteView { emit(.user, $0) }
        }
        unsaved.removeAll(keepingCapacity: true)
        var chunk: [DedupeSet.Entry] = []
        dedupe.forEach { entry in
            chunk.append(entry)
            if chunk.count == Self.dedupeChunk {
                encodeDedupe(chunk[...], &writer, emit)
                chunk.removeAll(keepingCapacity: true)
            }
        }
        encodeDedupe(chunk[...], &writer, emit)
        unsavedDedupe.removeAll(keepingCapacity: true)
    }

    /// How many bytes ``encodeAll(_:)`` would hand over, roughly.
    public var liveBytes: Int64 {
        Int64(
            users.count * 48 + traceLists.slab.wordsUsed * 8 + propertyLists.slab.wordsUsed * 8
                + dedupe.count * 24
        )
    }

    private func encodeNames(
        from first: Int,
        _ writer: inout ByteWriter,
        _ emit: (StateRecord, ByteView) -> Void
    ) {
        guard first < names.count else { return }
        writer.clear()
        writer.write(UInt32(names.count - first))
        for index in first..<names.count {
            names.name(at: index).withByteView { writer.write(prefixed: $0) }
        }
        writer.bytes.withByteView { emit(.names, $0) }
    }

    private func encodeDedupe(
        _ entries: ArraySlice<DedupeSet.Entry>,
        _ writer: inout ByteWriter,
        _ emit: (StateRecord, ByteView) -> Void
    ) {
        guard !entries.isEmpty else { return }
        writer.clear()
        writer.write(UInt32(entries.count))
        for entry in entries {
            writer.write(entry.high)
            writer.write(entry.low)
            writer.write(entry.arrival)
        }
        writer.bytes.withByteView { emit(.dedupe, $0) }
    }

    private func encodeUser(_ slot: UserSlot, _ writer: inout ByteWriter) {
        let record = records[Int(slot)]
        writer.clear()
        writer.write(slot)
        writer.write(prefixed: users[slot])
        writer.write(record.firstSeen.milliseconds)
        writer.write(record.knownSince.milliseconds)
        writer.write(UInt8(record.isApproximate ? 1 : 0))
        let membershipOffset = writer.count
        var memberships: UInt32 = 0
        writer.write(memberships)
        for cohort in 0..<membership.cohortCount where membership.contains(slot, cohort: cohort) {
            writer.write(UInt32(cohort))
            memberships += 1
        }
        writer.patch(memberships, at: membershipOffset)
        let tracesOffset = writer.count
        var traceCount: UInt16 = 0
        writer.write(traceCount)
        for entry in traceLists.entries(record.traces) {
            let times = traceLists.times(entry)
            writer.write(UInt32(entry.trace))
            writer.write(entry.base)
            writer.write(UInt32(times.count))
            for time in times { writer.write(time) }
            traceCount += 1
        }
        writer.patch(traceCount, at: tracesOffset)
        encodeRecords(record, &writer)
        encodeUploads(slot, &writer)
        var count: UInt32 = 0
        let countOffset = writer.count
        writer.write(count)
        var position = 0
        while let entry = propertyLists.entry(record.properties, at: position) {
            writer.write(entry.name)
            writer.write(entry.time)
            writer.write(UInt8((entry.isOnce ? 1 : 0) | (entry.isDeferred ? 2 : 0)))
            if entry.isDeferred { writer.write(entry.showsFrom) }
            writer.write(prefixed: entry.value.bytes)
            count += 1
            position += entry.words
        }
        writer.patch(count, at: countOffset)
        let times = eventTimes.times(slot)
        writer.write(UInt32(times.count))
        for time in times { writer.write(time) }
    }

    private func encodeRecords(_ record: UserRecord, _ writer: inout ByteWriter) {
        let countOffset = writer.count
        var count: UInt32 = 0
        writer.write(count)
        recordLists.forEach(record.records) { trace, run in
            writer.write(UInt32(trace))
            writer.write(UInt32(run.count))
            for index in 0..<run.count {
                for word in 0..<run.width { writer.write(run.word(index, word)) }
            }
            count += 1
        }
        writer.patch(count, at: countOffset)
    }

    private func encodeUploads(_ slot: UserSlot, _ writer: inout ByteWriter) {
        let countOffset = writer.count
        var count: UInt32 = 0
        writer.write(count)
        uploads.forEach(slot, cohorts: uploadLists) { cohort, entry in
            writer.write(prefixed: plan.cohorts[cohort].id)
            writer.write(entry.time)
            writer.write(UInt8(entry.isIn ? 1 : 0))
            count += 1
        }
        writer.patch(count, at: countOffset)
    }

    // MARK: Reading

    /// Takes one stored record, in the order in which they were written.
    public mutating func restore(
        _ record: StateRecord,
        _ payload: ByteView,
        into restoring: inout StateRestore
    ) throws(StateError) {
        do throws(ByteReader.Truncated) {
            var reader = ByteReader(payload)
            switch record {
            case .plan: try restorePlan(&reader, &restoring)
            case .names: try restoreNames(&reader, &restoring)
            case .user: try restoreUser(&reader, restoring)
            case .dedupe:
                let count: UInt32 = try reader.read()
                for _ in 0..<count {
                    let key = DedupeSet.Key(high: try reader.read(), low: try reader.read())
                    _ = dedupe.insert(key, arrival: EventTime(milliseconds: try reader.read()))
                }
            }
            guard reader.atEnd else {
                throw ByteReader.Truncated(offset: reader.offset, needed: 0)
            }
        } catch {
            throw StateError(
                text:
                    "a \(record) record of \(payload.count) bytes does not parse at byte \(error.offset)"
            )
        }
    }

    private func restorePlan(
        _ reader: inout ByteReader,
        _ restoring: inout StateRestore
    ) throws(ByteReader.Truncated) {
        let flags: UInt8 = try reader.read()
        restoring.identifyWaits = flags & 1 != 0
        let count: UInt32 = try reader.read()
        restoring.traces.removeAll()
        restoring.sawPlan = true
        for stored in 0..<count {
            let identity: UInt64 = try reader.read()
            let horizon: Int64 = try reader.read()
            let index = plan.traces.firstIndex { $0.identity == identity }
            restoring.isUnchanged =
                restoring.isUnchanged && index == Int(stored)
                && index.map { plan.traces[$0].horizon == horizon } ?? false
            restoring.traces.append(index.flatMap { plan.traces[$0].horizon <= horizon ? $0 : nil })
        }
        try restoreRecordTraces(&reader, &restoring)
        let cohortCount: UInt32 = try reader.read()
        restoring.cohorts.removeAll()
        for stored in 0..<cohortCount {
            let identity: UInt64 = try reader.read()
            let index = plan.cohorts.firstIndex { $0.identity == identity }
            restoring.isUnchanged = restoring.isUnchanged && index == Int(stored)
            restoring.cohorts.append(index)
        }
        let listCount: UInt32 = try reader.read()
        restoring.uploadLists.removeAll()
        for _ in 0..<listCount { restoring.uploadLists.append(try reader.readText()) }
        restoring.isUnchanged =
            restoring.isUnchanged
            && restoring.uploadLists == uploadLists.map { plan.cohorts[$0].id }
    }

    private func restoreRecordTraces(
        _ reader: inout ByteReader,
        _ restoring: inout StateRestore
    ) throws(ByteReader.Truncated) {
        let count: UInt32 = try reader.read()
        restoring.recordTraces.removeAll()
        restoring.recordWords.removeAll()
        for stored in 0..<count {
            let identity: UInt64 = try reader.read()
            var kept = RecordTrace.Retention()
            let horizon: Int64 = try reader.read()
            kept.horizon = horizon == .max ? nil : horizon
            let since = EventTime(milliseconds: try reader.read())
            kept.since = since == .distantFuture ? nil : since
            let width: UInt8 = try reader.read()
            restoring.recordWords.append(Int(width))
            let index = plan.recordTraces.firstIndex { $0.identity == identity }
            restoring.isUnchanged =
                restoring.isUnchanged && index == Int(stored)
                && index.map { plan.recordTraces[$0].retention == kept } ?? false
            restoring.recordTraces.append(
                index.flatMap { plan.recordTraces[$0].retention.isContained(in: kept) ? $0 : nil }
            )
        }
    }

    private mutating func restoreNames(
        _ reader: inout ByteReader,
        _ restoring: inout StateRestore
    ) throws(ByteReader.Truncated) {
        let count: UInt32 = try reader.read()
        for _ in 0..<count {
            let number = names.number(of: try reader.readPrefixed())
            restoring.isUnchanged =
                restoring.isUnchanged && number == names.sentCount + UInt32(restoring.names.count)
            restoring.names.append(number)
        }
    }

    private mutating func restoreUser(
        _ reader: inout ByteReader,
        _ restoring: borrowing StateRestore
    ) throws(ByteReader.Truncated) {
        let slot: UserSlot = try reader.read()
        let id = try reader.readPrefixed()
        if Int(slot) == users.count {
            addUser()
            _ = users.insert(id, hash: Hashing.hash64(id))
        }
        guard Int(slot) < users.count, users[slot].equals(id) else {
            throw ByteReader.Truncated(offset: 0, needed: 0)
        }
        let index = Int(slot)
        traceLists.clear(&records[index].traces)
        propertyLists.clear(&records[index].properties)
        records[index].firstSeen = EventTime(milliseconds: try reader.read())
        records[index].knownSince = EventTime(milliseconds: try reader.read())
        let flags: UInt8 = try reader.read()
        records[index].isApproximate = flags & 1 != 0
        for cohort in 0..<membership.cohortCount { membership.set(slot, cohort: cohort, to: false) }
        let memberships: UInt32 = try reader.read()
        for _ in 0..<memberships {
            let stored: UInt32 = try reader.read()
            guard Int(stored) < restoring.cohorts.count else {
                throw ByteReader.Truncated(offset: reader.offset, needed: 0)
            }
            if let cohort = restoring.cohorts[Int(stored)] {
                membership.set(slot, cohort: cohort, to: true)
            }
        }
        let traceCount: UInt16 = try reader.read()
        var times: [Int64] = []
        for _ in 0..<traceCount {
            let stored: UInt32 = try reader.read()
            let base: UInt32 = try reader.read()
            let count: UInt32 = try reader.read()
            guard Int(count) * 8 <= reader.remaining, Int(stored) < restoring.traces.count else {
                throw ByteReader.Truncated(offset: reader.offset, needed: Int(count) * 8)
            }
            times.removeAll(keepingCapacity: true)
            for _ in 0..<count { times.append(try reader.read()) }
            if let trace = restoring.traces[Int(stored)] {
                traceLists.restore(
                    trace: trace,
                    base: base,
                    times: times,
                    to: &records[index].traces
                )
            }
        }
        try restoreRecords(&reader, restoring, index)
        try restoreUploads(&reader, slot)
        let propertyCount: UInt32 = try reader.read()
        for _ in 0..<propertyCount {
            let stored: UInt32 = try reader.read()
            let time: Int64 = try reader.read()
            let flags: UInt8 = try reader.read()
            let showsFrom: Int64? = flags & 2 != 0 ? try reader.read() : nil
            let value = ValueView(try reader.readPrefixed())
            guard let name = restoring.number(stored, sentCount: names.sentCount), !value.isMissing
            else {
                throw ByteReader.Truncated(offset: reader.offset, needed: 0)
            }
            propertyLists.restore(
                name,
                time,
                value,
                isOnce: flags & 1 != 0,
                showsFrom: showsFrom,
                to: &records[index].properties
            )
        }
        let eventCount: UInt32 = try reader.read()
        times.removeAll(keepingCapacity: true)
        for _ in 0..<eventCount { times.append(try reader.read()) }
        eventTimes.restore(times, slot: slot)
    }

    private mutating func restoreRecords(
        _ reader: inout ByteReader,
        _ restoring: borrowing StateRestore,
        _ index: Int
    ) throws(ByteReader.Truncated) {
        recordLists.clear(&records[index].records)
        let traceCount: UInt32 = try reader.read()
        for _ in 0..<traceCount {
            let stored: UInt32 = try reader.read()
            let count: UInt32 = try reader.read()
            guard Int(stored) < restoring.recordWords.count else {
                throw ByteReader.Truncated(offset: reader.offset, needed: 0)
            }
            let width = restoring.recordWords[Int(stored)]
            var words = [UInt64](repeating: 0, count: width)
            for _ in 0..<count {
                for word in 0..<width { words[word] = try reader.read() }
                guard let trace = restoring.recordTraces[Int(stored)] else { continue }
                words.withUnsafeBufferPointer { buffer in
                    guard let start = buffer.baseAddress else { return }
                    _ = recordLists.add(
                        start,
                        trace: trace,
                        to: &records[index].records,
                        bound: .min,
                        limit: .max
                    )
                }
            }
        }
    }

    private mutating func restoreUploads(
        _ reader: inout ByteReader,
        _ slot: UserSlot
    ) throws(ByteReader.Truncated) {
        uploads.clear(slot, cohorts: uploadLists)
        let count: UInt32 = try reader.read()
        for _ in 0..<count {
            let id = try reader.readText()
            let time = EventTime(milliseconds: try reader.read())
            let isIn: UInt8 = try reader.read()
            guard let cohort = uploadLists.first(where: { plan.cohorts[$0].id == id }) else {
                continue
            }
            uploads.note(slot, cohort: cohort, isIn: isIn != 0, at: time, floor: .distantPast)
        }
    }

    /// Ends a restore: from here on the shard goes on from the cut it was stored at.
    ///
    /// - `tick`: The last tick of the cut; nil where there was none.
    /// - `floor`: The floor at the cut.
    public mutating func finishRestore(
        _ restoring: consuming StateRestore,
        tick: EventTime?,
        floor: EventTime
    ) -> RestoreReport {
        self.floor = floor
        lastTick = tick
        savedNames = names.count
        counters.approximateUsers = (0..<records.count).reduce(0) {
            $0 + (records[$1].isApproximate ? 1 : 0)
        }
        var missing = MissingTraces()
        missing.traces = Set(plan.traces.indices).subtracting(restoring.traces.compactMap { $0 })
        missing.recordTraces = Set(plan.recordTraces.indices)
            .subtracting(restoring.recordTraces.compactMap { $0 })
        missing.properties =
            restoring.sawPlan && restoring.identifyWaits != settings.identifyWaits
        if restoring.sawPlan {
            let stored = Set(restoring.uploadLists)
            missing.uploads = Set(
                uploadLists.filter { !stored.contains(plan.cohorts[$0].id) }
            )
        }
        // The bits are those of the cut. Deadlines are derived from state: at the first tick everyone is
        // looked at once.
        for slot in 0..<UserSlot(users.count) { touchAnew(slot) }
        return RestoreReport(
            missingTraces: missing,
            mustRewrite: !missing.isEmpty || !restoring.isUnchanged || !restoring.sawPlan
                || restoring.traces.count != plan.traces.count
                || restoring.recordTraces.count != plan.recordTraces.count
                || restoring.cohorts.count != plan.cohorts.count
                || restoring.names.count != names.count
        )
    }
}

/// What is known while stored records are read: how stored numbers map to the plan's.
public struct StateRestore {
    /// Trace of the plan by stored number; nil where the plan has no such trace, or one that reaches further.
    var traces: [Int?] = []
    /// Record trace of the plan by stored number; nil as for ``traces``.
    var recordTraces: [Int?] = []
    /// Words in a stored record, by stored number of its trace.
    var recordWords: [Int] = []
    /// Cohort of the plan by stored number; nil where the plan has no such cohort.
    var cohorts: [Int?] = []
    /// Name number by stored number, without the names sent at the top level.
    var names: [UInt32] = []
    /// Ids of the cohorts whose lists of uploaded users are stored.
    var uploadLists: [String] = []
    var isUnchanged = true
    var sawPlan = false
    /// Whether stored property values were kept under `identify: next_event`.
    var identifyWaits = false

    /// Nothing read yet.
    public init() {}

    func number(_ stored: UInt32, sentCount: UInt32) -> UInt32? {
        if stored < sentCount || stored == PropertyNames.clearAll { return stored }
        let index = Int(stored - sentCount)
        return index < names.count ? names[index] : nil
    }
}
