public import Basics
public import Cohorts
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
    /// What is there of plain traces that must reach further; those that are not here are empty.
    public var keptTraces: [Int: RecordTrace.Retention] = [:]
    /// The same of record traces.
    public var keptRecordTraces: [Int: RecordTrace.Retention] = [:]
    /// The cohorts that look at what is missing.
    public var cohorts: Set<Int> = []
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

    /// Whether something is missing that depends on the order of the log.
    public var needsOrder: Bool { properties || !uploads.isEmpty }
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
    /// The first byte of a plan record, and so of a log.
    private static let stateVersion: UInt8 = 3
    /// The most users whose memory is taken before they are read.
    private static let reservedMax = 1 << 24

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
            users[slot].isUnsaved = false
            encodeUser(slot, &writer)
            writer.bytes.withByteView { emit(.user, $0) }
        }
        unsaved.removeAll(keepingCapacity: true)
        var start = 0
        while start < unsavedDedupe.count {
            let end = min(unsavedDedupe.count, start + Self.dedupeChunk)
            encodeDedupe(unsavedDedupe[start..<end], emit)
            start = end
        }
        unsavedDedupe.removeAll(keepingCapacity: true)
    }

    /// Hands over the whole state, as records; what changed counts as handed over.
    public mutating func encodeAll(_ emit: (StateRecord, ByteView) -> Void) {
        precondition(!isTicking, "state in the middle of a tick")
        settle()
        var writer = ByteWriter(capacity: 4096)
        writer.write(Self.stateVersion)
        writer.write(UInt8(settings.identifyWaits ? 1 : 0))
        writer.write(UInt32(users.count))
        writer.write(UInt64(dedupe.count))
        writer.write(plan.conditionsIdentity)
        writer.write(UInt32(plan.traces.count))
        for (index, trace) in plan.traces.enumerated() {
            writer.write(trace.identity)
            writer.write(storedHorizon(of: index))
        }
        writer.write(UInt32(plan.recordTraces.count))
        for (index, trace) in plan.recordTraces.enumerated() {
            let retention = storedRetention(of: index)
            writer.write(trace.identity)
            writer.write(retention.horizon ?? .max)
            writer.write((retention.since ?? .distantFuture).milliseconds)
            writer.write(UInt8(trace.words))
        }
        writer.write(UInt32(plan.cohorts.count))
        for (index, cohort) in plan.cohorts.enumerated() {
            // One that is not complete is not to be taken for one that is.
            writer.write(missing.cohorts.contains(index) ? Self.noCohort : cohort.identity)
        }
        let uploadLists = storedUploadLists
        writer.write(UInt32(uploadLists.count))
        for cohort in uploadLists { writer.write(prefixed: plan.cohorts[cohort].id) }
        writer.bytes.withByteView { emit(.plan, $0) }
        encodeNames(from: 0, &writer, emit)
        savedNames = names.count
        for slot in 0..<UserSlot(users.count) {
            users[slot].isUnsaved = false
            encodeUser(slot, &writer)
            writer.bytes.withByteView { emit(.user, $0) }
        }
        unsaved.removeAll(keepingCapacity: true)
        var chunk: [DedupeSet.Entry] = []
        dedupe.forEach { entry in
            chunk.append(entry)
            if chunk.count == Self.dedupeChunk {
                encodeDedupe(chunk[...], emit)
                chunk.removeAll(keepingCapacity: true)
            }
        }
        encodeDedupe(chunk[...], emit)
        unsavedDedupe.removeAll(keepingCapacity: true)
    }

    /// How far back a trace reaches, as far as that is there: ``nothingKept`` while history fills it from nothing.
    private func storedHorizon(of trace: Int) -> Int64 {
        guard missing.traces.contains(trace) else { return plan.traces[trace].horizon }
        return missing.keptTraces[trace]?.horizon ?? Self.nothingKept
    }

    private func storedRetention(of trace: Int) -> RecordTrace.Retention {
        guard missing.recordTraces.contains(trace) else {
            return plan.recordTraces[trace].retention
        }
        if let kept = missing.keptRecordTraces[trace] { return kept }
        var nothing = RecordTrace.Retention()
        nothing.horizon = Self.nothingKept
        return nothing
    }

    /// The lists of uploaded users that are there.
    private var storedUploadLists: [Int] {
        uploadLists.filter { !missing.uploads.contains($0) }
    }

    /// How many bytes ``encodeAll(_:)`` would hand over, roughly.
    public var liveBytes: Int64 {
        let words =
            traceLists.slab.wordsUsed + recordLists.slab.wordsUsed + propertyLists.slab.wordsUsed
            + deadlineLists.slab.wordsUsed
        // Of the words of blocks a quarter is free or says where something is; a user takes so many bytes besides.
        return Int64(users.count * 68 + users.idBytes + words * 6 + dedupe.count * 16)
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
        _ emit: (StateRecord, ByteView) -> Void
    ) {
        guard !entries.isEmpty else { return }
        entries.withUnsafeBytes { emit(.dedupe, ByteView($0)) }
    }

    private func encodeUser(_ slot: UserSlot, _ writer: inout ByteWriter) {
        let record = users[slot]
        writer.clear()
        writer.write(slot)
        writer.write(prefixed: users.id(slot))
        writer.write(record.firstSeen.milliseconds)
        writer.write(record.knownSince.milliseconds)
        let isTouched = record.touched > 0
        writer.write(
            UInt8(
                (record.isApproximate ? UserFlag.approximate : 0)
                    | (record.isEvaluated ? UserFlag.evaluated : 0)
                    | (record.isEvaluated && isTouched ? UserFlag.touched : 0)
            )
        )
        encodeBits(words: users.rows.membershipWords, &writer) {
            users.rows.memberships(slot, word: $0)
        }
        if record.isEvaluated {
            let words = evaluator.feeds.words
            encodeBits(words: words, &writer) { users.rows.truth(slot, word: $0) }
            if isTouched {
                encodeBits(words: words, &writer) { touched.bits(record.place)[$0] }
            }
            let deadlines = deadlineLists.deadlines(record.deadlines)
            writer.write(UInt32(deadlines.count))
            writer.write(raw: ByteView(UnsafeRawBufferPointer(deadlines)))
        }
        traceLists.encode(record.traces, to: &writer)
        encodeRecords(record, &writer)
        encodeUploads(slot, &writer)
        propertyLists.encode(record.properties, to: &writer)
        let times = eventTimes.times(slot)
        writer.write(UInt32(times.count))
        for time in times { writer.write(time) }
    }

    /// Writes the words of bits that are not all zero, each behind its place.
    private func encodeBits(words: Int, _ writer: inout ByteWriter, _ bits: (Int) -> UInt64) {
        let countOffset = writer.count
        var count: UInt16 = 0
        writer.write(count)
        for word in 0..<words where bits(word) != 0 {
            writer.write(UInt16(word))
            writer.write(bits(word))
            count += 1
        }
        if count > 0 { writer.patch(count, at: countOffset) }
    }

    private func encodeRecords(_ record: UserRecord, _ writer: inout ByteWriter) {
        let countOffset = writer.count
        var count: UInt32 = 0
        writer.write(count)
        recordLists.forEach(record.records) { trace, run in
            writer.write(UInt32(trace))
            writer.write(UInt32(run.count))
            writer.write(raw: run.bytes)
            count += 1
        }
        if count > 0 { writer.patch(count, at: countOffset) }
    }

    private func encodeUploads(_ slot: UserSlot, _ writer: inout ByteWriter) {
        let countOffset = writer.count
        var count: UInt32 = 0
        writer.write(count)
        uploads.forEach(slot, cohorts: storedUploadLists) { cohort, entry in
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
        if record == .plan, payload.isEmpty || payload[0] != Self.stateVersion {
            throw StateError(
                text: "the state was written by another version of cohortd: run that version"
            )
        }
        do throws(ByteReader.Truncated) {
            var reader = ByteReader(payload)
            switch record {
            case .plan: try restorePlan(&reader, &restoring)
            case .names: try restoreNames(&reader, &restoring)
            case .user: try restoreUser(&reader, restoring)
            case .dedupe: dedupe.restore(try reader.read(count: payload.count / 16 * 16))
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

    /// Takes memory for so many users, so that no table grows while they are read.
    ///
    /// What is not used is taken all the same, so damage may not claim much: a slot of a table costs a user's bytes.
    private mutating func reserve(users count: Int) {
        let count = min(count, settings.usersMax, Self.reservedMax)
        users.reserve(count)
    }

    private mutating func restorePlan(
        _ reader: inout ByteReader,
        _ restoring: inout StateRestore
    ) throws(ByteReader.Truncated) {
        _ = try reader.read(UInt8.self)
        let flags: UInt8 = try reader.read()
        restoring.identifyWaits = flags & 1 != 0
        let userCount: UInt32 = try reader.read()
        reserve(users: Int(userCount))
        dedupe.reserve(Int(clamping: try reader.read(UInt64.self)))
        let conditions: UInt64 = try reader.read()
        let count: UInt32 = try reader.read()
        restoring.traces.removeAll()
        restoring.keptTraces.removeAll()
        restoring.sawPlan = true
        for stored in 0..<count {
            let identity: UInt64 = try reader.read()
            let horizon: Int64 = try reader.read()
            let index = plan.traces.firstIndex { $0.identity == identity }
            restoring.isUnchanged =
                restoring.isUnchanged && index == Int(stored)
                && index.map { plan.traces[$0].horizon == horizon } ?? false
            restoring.traces.append(horizon == Self.nothingKept ? nil : index)
            if let index, horizon != Self.nothingKept, plan.traces[index].horizon > horizon {
                var kept = RecordTrace.Retention()
                kept.horizon = horizon
                restoring.keptTraces[index] = kept
            }
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
        restoring.hasSameCohorts = restoring.cohorts == plan.cohorts.indices.map { $0 }
        // With the same definitions what was found of a user is still so: everyone's own next look decides.
        restoring.keepsTruth =
            restoring.hasSameCohorts && conditions == plan.conditionsIdentity
            && restoring.identifyWaits == settings.identifyWaits
    }

    private func restoreRecordTraces(
        _ reader: inout ByteReader,
        _ restoring: inout StateRestore
    ) throws(ByteReader.Truncated) {
        let count: UInt32 = try reader.read()
        restoring.recordTraces.removeAll()
        restoring.keptRecordTraces.removeAll()
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
            restoring.recordTraces.append(horizon == Self.nothingKept ? nil : index)
            if let index, horizon != Self.nothingKept,
                !plan.recordTraces[index].retention.isContained(in: kept)
            {
                restoring.keptRecordTraces[index] = kept
            }
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
            users.restore(id)
        }
        guard Int(slot) < users.count, users.id(slot).equals(id) else {
            throw ByteReader.Truncated(offset: 0, needed: 0)
        }
        // Only the second time the user comes is there anything.
        traceLists.clear(&users[slot].traces)
        recordLists.clear(&users[slot].records)
        propertyLists.clear(&users[slot].properties)
        deadlineLists.clear(&users[slot].deadlines)
        users[slot].firstSeen = EventTime(milliseconds: try reader.read())
        users[slot].knownSince = EventTime(milliseconds: try reader.read())
        let flags: UInt8 = try reader.read()
        users[slot].isApproximate = flags & UserFlag.approximate != 0
        try restoreMemberships(&reader, restoring, slot)
        users[slot].isEvaluated = false
        if flags & UserFlag.evaluated != 0 {
            try restoreTruth(&reader, restoring, slot, isTouched: flags & UserFlag.touched != 0)
        }
        try traceLists.restore(&reader, numbers: restoring.traces, to: &users[slot].traces)
        try restoreRecords(&reader, restoring, slot)
        try restoreUploads(&reader, slot)
        try propertyLists.restore(
            &reader,
            restoring,
            sentCount: names.sentCount,
            to: &users[slot].properties
        )
        let eventCount: UInt32 = try reader.read()
        let times = try reader.read(count: Int(eventCount) * 8)
        eventTimes.restore(times, slot: slot)
    }

    /// A word of bits that are not all zero, and its place; `count`: bits from here on must be zero.
    private static func readBits(
        _ reader: inout ByteReader,
        count: Int
    ) throws(ByteReader.Truncated) -> (word: Int, bits: UInt64) {
        let word: UInt16 = try reader.read()
        let bits: UInt64 = try reader.read()
        let left = count - Int(word) * 64
        guard left > 0, left >= 64 || bits >> UInt64(left) == 0 else {
            throw ByteReader.Truncated(offset: reader.offset, needed: 0)
        }
        return (Int(word), bits)
    }

    private mutating func restoreMemberships(
        _ reader: inout ByteReader,
        _ restoring: borrowing StateRestore,
        _ slot: UserSlot
    ) throws(ByteReader.Truncated) {
        var next = 0
        if !restoring.hasSameCohorts {
            setNoMemberships(slot, words: 0..<users.rows.membershipWords)
        }
        let count: UInt16 = try reader.read()
        for _ in 0..<count {
            var (word, bits) = try Self.readBits(&reader, count: restoring.cohorts.count)
            if restoring.hasSameCohorts {
                guard word >= next else {
                    throw ByteReader.Truncated(offset: reader.offset, needed: 0)
                }
                setNoMemberships(slot, words: next..<word)
                users.rows.setMemberships(slot, word: word, to: bits)
                next = word + 1
                continue
            }
            while bits != 0 {
                if let cohort = restoring.cohorts[word * 64 + bits.trailingZeroBitCount] {
                    users.rows.setMember(slot, cohort: cohort, to: true)
                }
                bits &= bits - 1
            }
        }
        if restoring.hasSameCohorts {
            setNoMemberships(slot, words: next..<users.rows.membershipWords)
        }
    }

    private mutating func setNoMemberships(_ slot: UserSlot, words: Range<Int>) {
        for word in words { users.rows.setMemberships(slot, word: word, to: 0) }
    }

    /// What was found of the user: truth of the conditions, those that are to be looked at, and deadlines.
    private mutating func restoreTruth(
        _ reader: inout ByteReader,
        _ restoring: borrowing StateRestore,
        _ slot: UserSlot,
        isTouched: Bool
    ) throws(ByteReader.Truncated) {
        let isKept = restoring.keepsTruth
        let conditions = isKept ? plan.conditions.count : .max
        users[slot].isEvaluated = isKept
        if isKept { users.rows.clearTruth(slot) }
        let count: UInt16 = try reader.read()
        for _ in 0..<count {
            let (word, bits) = try Self.readBits(&reader, count: conditions)
            if isKept { users.rows.setTruth(slot, word: word, to: bits) }
        }
        if isTouched {
            if isKept { touch(slot) }
            let count: UInt16 = try reader.read()
            for _ in 0..<count {
                let (word, bits) = try Self.readBits(&reader, count: conditions)
                if isKept { touch(slot, for: bits, word: word, evenSettled: true) }
            }
        }
        let deadlineCount: UInt32 = try reader.read()
        let deadlines = try reader.read(count: Int(deadlineCount) * 8)
        guard isKept else { return }
        let isGood = deadlineLists.restore(
            deadlines,
            conditions: conditions,
            to: &users[slot].deadlines
        )
        guard isGood else { throw ByteReader.Truncated(offset: reader.offset, needed: 0) }
    }

    private mutating func restoreRecords(
        _ reader: inout ByteReader,
        _ restoring: borrowing StateRestore,
        _ slot: UserSlot
    ) throws(ByteReader.Truncated) {
        let traceCount: UInt32 = try reader.read()
        recordLists.reserve(
            &users[slot].records,
            traces: min(Int(traceCount), plan.recordTraces.count)
        )
        for _ in 0..<traceCount {
            let stored: UInt32 = try reader.read()
            let count: UInt32 = try reader.read()
            guard Int(stored) < restoring.recordWords.count else {
                throw ByteReader.Truncated(offset: reader.offset, needed: 0)
            }
            let width = restoring.recordWords[Int(stored)]
            let bytes = try reader.read(count: Int(count) * width * 8)
            guard let trace = restoring.recordTraces[Int(stored)] else { continue }
            guard width == plan.recordTraces[trace].words else {
                throw ByteReader.Truncated(offset: reader.offset, needed: 0)
            }
            recordLists.restore(bytes, trace: trace, to: &users[slot].records)
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

    /// Sees to it that a user is looked at when the first of its deadlines comes.
    private mutating func scheduleRestored(_ slot: UserSlot) {
        var next = deadlineLists.earliest(users[slot].deadlines)
        guard next < EventTime.distantFuture.milliseconds else { return }
        // One that passed since the user was written is for the next tick: the last one is over.
        if let lastTick { next = max(next, lastTick.milliseconds + 1) }
        users[slot].scheduled = EventTime(milliseconds: next)
        deadlines.push(EventTime(milliseconds: next), slot)
    }

    /// Ends a restore: from here on the shard goes on from the cut it was stored at.
    ///
    /// - `tick`: The last tick of the cut; nil where there was none.
    /// - `floor`: The floor at the cut.
    /// - `hasUploads`: Whether uploads were ever taken; where none was, no list lacks any.
    public mutating func finishRestore(
        _ restoring: consuming StateRestore,
        tick: EventTime?,
        floor: EventTime,
        hasUploads: Bool = true
    ) -> RestoreReport {
        self.floor = floor
        lastTick = tick
        users.index()
        savedNames = names.count
        var missing = MissingTraces()
        missing.keptTraces = restoring.keptTraces
        missing.keptRecordTraces = restoring.keptRecordTraces
        missing.traces = Set(plan.traces.indices).subtracting(restoring.traces.compactMap { $0 })
            .union(missing.keptTraces.keys)
        missing.recordTraces = Set(plan.recordTraces.indices)
            .subtracting(restoring.recordTraces.compactMap { $0 })
            .union(missing.keptRecordTraces.keys)
        missing.properties =
            restoring.sawPlan && restoring.identifyWaits != settings.identifyWaits
        if restoring.sawPlan, hasUploads {
            let stored = Set(restoring.uploadLists)
            missing.uploads = Set(
                uploadLists.filter { !stored.contains(plan.cohorts[$0].id) }
            )
        }
        missing.cohorts = cohorts(lacking: missing, known: Set(restoring.cohorts.compactMap { $0 }))
        self.missing = missing
        counters.approximateUsers = 0
        for slot in 0..<UserSlot(users.count) {
            if users[slot].isApproximate { counters.approximateUsers += 1 }
            if !missing.isEmpty || !users[slot].isEvaluated {
                // The bits are those of the cut; at the first tick the user is looked at.
                touchAnew(slot)
            } else {
                scheduleRestored(slot)
            }
        }
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

extension Shard {
    /// In a plan record: how far back a trace reaches of which nothing is there.
    fileprivate static var nothingKept: Int64 { .min }
    /// In a plan record: the identity of a cohort that looks at what is missing.
    fileprivate static var noCohort: UInt64 { 0 }

    /// The cohorts that look at what is missing, themselves or through others.
    ///
    /// - `known`: Cohorts that were whole: for them all is there of a trace that was kept and only must reach further.
    private func cohorts(lacking missing: MissingTraces, known: Set<Int>) -> Set<Int> {
        var found: Set<Int> = []
        for index in plan.evaluationOrder {
            let cohort = plan.cohorts[index]
            let lacksTrace = cohort.traces.contains {
                missing.traces.contains($0)
                    && (missing.keptTraces[$0] == nil || !known.contains(index))
            }
            let lacksRecords = cohort.recordTraces.contains {
                missing.recordTraces.contains($0)
                    && (missing.keptRecordTraces[$0] == nil || !known.contains(index))
            }
            let refersToOne = cohort.program.contains { instruction in
                if case .member(let other) = instruction { found.contains(other) } else { false }
            }
            if lacksTrace || lacksRecords || refersToOne || missing.uploads.contains(index)
                || missing.properties && plan.readsProperties(cohort: index)
            {
                found.insert(index)
            }
        }
        return found
    }
}

/// What is true of a user, in a user record.
private enum UserFlag {  // stored: do not renumber
    /// A trace lost times to the limit.
    static let approximate: UInt8 = 1
    /// Truth and deadlines follow.
    static let evaluated: UInt8 = 2
    /// Conditions follow that are to be looked at.
    static let touched: UInt8 = 4
}

/// What is known while stored records are read: how stored numbers map to the plan's.
public struct StateRestore: ~Copyable {
    /// Trace of the plan by stored number; nil where the plan has no such trace, or nothing of it is stored.
    var traces: [Int?] = []
    /// Record trace of the plan by stored number; nil as for ``traces``.
    var recordTraces: [Int?] = []
    /// What is stored of traces of the plan that reach further.
    var keptTraces: [Int: RecordTrace.Retention] = [:]
    /// The same of record traces.
    var keptRecordTraces: [Int: RecordTrace.Retention] = [:]
    /// Words in a stored record, by stored number of its trace.
    var recordWords: [Int] = []
    /// Cohort of the plan by stored number; nil where the plan has no such cohort.
    var cohorts: [Int?] = []
    /// Name number by stored number, without the names sent at the top level.
    var names: [UInt32] = []
    /// Ids of the cohorts whose lists of uploaded users are stored.
    var uploadLists: [String] = []
    /// Whether every stored cohort has the number it has in the plan.
    var hasSameCohorts = false
    /// Whether the conditions are those of the plan, so that what was found of them need not be found again.
    var keepsTruth = false
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
