import Basics
import Events

/// Events that were taken and wait to be applied together: of each what the engine will need, copied out of
/// the decoder's memory.
///
/// Applying one event touches memory all over the tables, and a core waits for each line of it. Of a group all the
/// lines can be asked for at once (``Shard/settle()``), which costs hardly more than one.
struct StagedEvents: ~Copyable {
    /// The most events of a group: about as many reads as a core waits for at one time.
    static let countMax = 16

    /// One event.
    struct Event {
        var kind: EventView.Kind
        /// Is read again for what a snapshot lacks.
        var isHistory: Bool
        var time: EventTime
        var arrival: EventTime
        var ignoredOperations: Int
        /// Of the user's id.
        var hash: UInt64
        /// The key of a duplicate; meaningless without ``hasKey``.
        var key: (high: UInt64, low: UInt64)
        var hasKey: Bool
        /// Where things of the event lie in the lists below.
        var id: Range<Int>
        var traces: Range<Int>
        var records: Range<Int>
        var assignments: Range<Int>
    }

    /// A record of a record trace: which, and where its words lie.
    struct Record {
        var trace: Int
        var words: Int
    }

    /// An assignment to a property.
    struct StagedAssignment {
        var operation: Assignment.Operation
        /// Number of the name.
        var name: UInt32
        /// Where the encoded value lies.
        var value: Range<Int>
    }

    private var events: [Event] = []
    private(set) var traces: [Int] = []
    private(set) var records: [Record] = []
    private var words: [UInt64] = []
    private(set) var assignments: [StagedAssignment] = []
    /// Ids and values.
    private var bytes: UnsafeMutableRawBufferPointer
    private var bytesUsed = 0

    init() {
        bytes = .allocate(byteCount: 1 << 14, alignment: 8)
        events.reserveCapacity(Self.countMax)
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
        words.withUnsafeBufferPointer { words in
            guard let start = words.baseAddress else {
                preconditionFailure("a record without words")
            }
            return start + record.words
        }
    }

    private func view(_ range: Range<Int>) -> ByteView {
        ByteView(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(bytes)[range]))
    }

    /// Adds an event.
    ///
    /// - `hash`: Of the user's id.
    mutating func append(
        _ event: EventView,
        isHistory: Bool,
        hash: UInt64,
        filters: borrowing TraceFilters,
        recordFilters: borrowing RecordFilters,
        names: inout PropertyNames
    ) {
        let key: (high: UInt64, low: UInt64)
        let hasKey = !event.insertID.isEmpty
        key =
            hasKey
            ? DedupeSet.key(owner: event.dedupeOwner, insertID: event.insertID) : (high: 0, low: 0)
        let firstTrace = traces.count
        if event.kind == .event {
            for candidate in filters.candidates(for: event.eventType) {
                let trace = filters.trace(at: candidate)
                if filters.matches(event, trace: trace) { traces.append(trace) }
            }
        }
        let firstRecord = records.count
        recordFilters.appendRecords(of: event, to: &records, words: &words)
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
                kind: event.kind,
                isHistory: isHistory,
                time: event.time,
                arrival: event.arrival,
                ignoredOperations: event.ignoredOperations,
                hash: hash,
                key: key,
                hasKey: hasKey,
                id: copy(event.userID),
                traces: firstTrace..<traces.count,
                records: firstRecord..<records.count,
                assignments: firstAssignment..<assignments.count
            )
        )
    }

    /// Forgets every event, and keeps the memory.
    mutating func removeAll() {
        events.removeAll(keepingCapacity: true)
        traces.removeAll(keepingCapacity: true)
        records.removeAll(keepingCapacity: true)
        words.removeAll(keepingCapacity: true)
        assignments.removeAll(keepingCapacity: true)
        bytesUsed = 0
    }

    private mutating func copy(_ view: ByteView) -> Range<Int> {
        let end = bytesUsed + view.count
        if end > bytes.count {
            let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: 2 * end, alignment: 8)
            larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<bytesUsed]))
            bytes.deallocate()
            bytes = larger
        }
        if view.count > 0 {
            UnsafeMutableRawBufferPointer(rebasing: bytes[bytesUsed..<end])
                .copyMemory(from: view.buffer)
        }
        defer { bytesUsed = end }
        return bytesUsed..<end
    }
}
