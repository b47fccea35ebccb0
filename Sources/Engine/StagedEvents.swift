import Basics
import Events

/// Events that were taken and wait to be applied together: of each what the engine will need, copied out of
/// the decoder's memory.
///
/// Applying one event touches memory all over the tables, and a core waits for each line of it. Of a group all the
/// lines can be asked for at once (``Shard/settle()``), which costs hardly more than one.
struct StagedEvents: ~Copyable {
    /// The most events of a group: about as many reads as a core waits for at one time.
    static let countMax = 32

    /// One event.
    struct Event: BitwiseCopyable {
        var time: EventTime
        var arrival: EventTime
        /// Of the user's id.
        var hash: UInt64
        /// The key of a duplicate; meaningless without ``hasKey``.
        var key: DedupeSet.Key
        /// Where things of the event lie in the lists below.
        var id: Stretch
        var traces: Stretch
        var records: Stretch
        var assignments: Stretch
        var ignoredOperations: UInt32
        var kind: EventView.Kind
        var hasKey: Bool
        /// Is read again for what a snapshot lacks.
        var isHistory: Bool
    }

    /// A record of a record trace: which, and where its words lie.
    struct Record: BitwiseCopyable {
        var trace: Int
        var words: Int
    }

    /// An assignment to a property.
    struct StagedAssignment: BitwiseCopyable {
        var operation: Assignment.Operation
        /// Number of the name.
        var name: UInt32
        /// Where the encoded value lies.
        var value: Stretch
    }

    private var events = RecordTable<Event>()
    private(set) var traces = RecordTable<Int>()
    private(set) var records = RecordTable<Record>()
    private var words = RecordTable<UInt64>()
    private(set) var assignments = RecordTable<StagedAssignment>()
    /// Ids and values.
    private var bytes: UnsafeMutableRawBufferPointer
    private var bytesUsed = 0

    init() {
        bytes = .allocate(byteCount: 1 << 14, alignment: 8)
    }

    deinit {
        bytes.deallocate()
    }

    /// How many events there are.
    var count: Int { events.count }

    /// An event, in the order in which they were added.
    subscript(index: Int) -> Event { events[index] }

    /// The user's id, lent until the next event is added.
    func id(_ event: borrowing Event) -> ByteView { view(event.id) }

    /// An assignment's value, lent until the next event is added.
    func value(_ assignment: StagedAssignment) -> ValueView { ValueView(view(assignment.value)) }

    /// A record's words, lent until the next event is added.
    func words(_ record: Record) -> UnsafePointer<UInt64> {
        UnsafePointer(words.start + record.words)
    }

    private func view(_ stretch: Stretch) -> ByteView {
        ByteView(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(bytes)[stretch.range]))
    }

    /// Adds an event.
    ///
    /// - `hash`: Of the user's id.
    mutating func append(
        _ event: EventView,
        isHistory: Bool,
        hash: UInt64,
        types: borrowing EventTypes,
        filters: borrowing TraceFilters,
        recordFilters: borrowing RecordFilters,
        names: inout PropertyNames
    ) {
        let hasKey = !event.insertID.isEmpty
        let key =
            hasKey
            ? DedupeSet.key(owner: event.dedupeOwner, insertID: event.insertID)
            : DedupeSet.Key(high: 0, low: 0)
        let type = types.number(of: event.eventType)
        let firstTrace = traces.count
        if event.kind == .event { filters.appendTraces(of: event, type: type, to: &traces) }
        let firstRecord = records.count
        recordFilters.appendRecords(of: event, type: type, to: &records, words: &words)
        let firstAssignment = assignments.count
        for assignment in event.assignments {
            guard let name = names.number(assignment) else { continue }
            assignments.append(
                StagedAssignment(
                    operation: assignment.operation,
                    name: name,
                    value: copy(assignment.value.bytes)
                )
            )
        }
        events.append(
            Event(
                time: event.time,
                arrival: event.arrival,
                hash: hash,
                key: key,
                id: copy(event.userID),
                traces: Stretch(firstTrace, traces.count),
                records: Stretch(firstRecord, records.count),
                assignments: Stretch(firstAssignment, assignments.count),
                ignoredOperations: UInt32(clamping: event.ignoredOperations),
                kind: event.kind,
                hasKey: hasKey,
                isHistory: isHistory
            )
        )
    }

    /// Forgets every event, and keeps the memory.
    mutating func removeAll() {
        events.removeAll()
        traces.removeAll()
        records.removeAll()
        words.removeAll()
        assignments.removeAll()
        bytesUsed = 0
    }

    @inline(__always)
    private mutating func copy(_ view: ByteView) -> Stretch {
        let end = bytesUsed + view.count
        if end > bytes.count { grow(to: 2 * end) }
        if view.count > 0, let start = bytes.baseAddress {
            (start + bytesUsed).copyMemory(from: view.base, byteCount: view.count)
        }
        defer { bytesUsed = end }
        return Stretch(bytesUsed, end)
    }

    @inline(never)
    private mutating func grow(to count: Int) {
        let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 8)
        larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<bytesUsed]))
        bytes.deallocate()
        bytes = larger
    }
}
