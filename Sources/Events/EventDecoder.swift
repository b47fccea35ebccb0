public import Basics
import CSimdJSON

/// Turns records into events, one at a time, in memory of its own.
///
/// Invariants:
/// - A record is walked as a whole before anything of it is given out, so what is accepted does not depend on
///   what is extracted.
/// - Everything given out points into the decoder's memory (or into the record handed in, for
///   ``elementBytes`` of a record that is no batch) and is valid until the next `begin` or `next`.
/// - Once its buffers have grown to the largest record, no call allocates, except ``rejectText``.
///
/// Source: docs/operations.md, "Events in" and "Rejected events".
public struct EventDecoder: ~Copyable, @unchecked Sendable {
    // Sendable because the memory belongs to one value that cannot be copied and is used by mutation only.

    let handle: OpaquePointer
    let eventBytesMax: Int
    let futureMax: Int64
    /// The milliseconds of every instant that is accepted from outside.
    let validTimes = EventTime.earliest.milliseconds...EventTime.latest.milliseconds
    var index: ExtractionIndex
    var scratch: ExtractionScratch

    var record: UnsafePointer<cohortd_json_record>?
    var recordBytes = ByteView.empty
    var source = ArrivalSource.replay
    var remaining = 0
    var detail = RejectDetail.none

    /// Which element of a batch the latest event is, from 0; 0 for a record that is one event.
    public private(set) var elementIndex = 0
    /// Whether the record is a batch, even one that is refused because its `events` is no array.
    public private(set) var isBatch = false

    /// A decoder that picks out what `extraction` wants.
    /// - Parameters:
    ///   - extraction: The wanted properties; acceptance does not depend on them.
    ///   - eventBytesMax: Longer records are too large.
    ///   - futureMax: How many milliseconds an event may be ahead of its arrival.
    public init(extraction: Extraction, eventBytesMax: Int, futureMax: Int64) {
        self.init(
            extraction: extraction,
            eventBytesMax: eventBytesMax,
            futureMax: futureMax,
            implementation: nil
        )
    }

    /// The same on one of simdjson's implementations by name, for tests, or with more names wanted of an event's
    /// own members; nil = the best for this processor.
    public init(
        extraction: Extraction,
        eventBytesMax: Int,
        futureMax: Int64,
        implementation: String?,
        topNames: [String] = []
    ) {
        precondition(eventBytesMax > 0, "event_bytes_max is \(eventBytesMax)")
        precondition(futureMax >= 0 && futureMax < 1 << 60, "future_max is \(futureMax) ms")
        let created = implementation.map { cohortd_json_create($0) } ?? cohortd_json_create(nil)
        guard let created else {
            preconditionFailure(
                "no memory, or simdjson's \(implementation ?? "best") cannot run here"
            )
        }
        handle = created
        // Positions inside a record have 32 bits.
        self.eventBytesMax = min(eventBytesMax, 1 << 31)
        self.futureMax = futureMax
        index = ExtractionIndex(extraction, more: topNames)
        scratch = ExtractionScratch(extraction)
        want()
    }

    /// The names of simdjson's implementations that can run here, for tests.
    public static var implementations: [String] {
        var names: [String] = []
        var index = 0
        while let name = cohortd_json_implementation(index) {
            index += 1
            guard let created = cohortd_json_create(name) else { continue }
            cohortd_json_destroy(created)
            names.append(String(cString: name))
        }
        return names
    }

    deinit {
        cohortd_json_destroy(handle)
    }

    /// Changes what is picked out, when the plan changes.
    ///
    /// What was given out before is no longer valid.
    public mutating func setExtraction(_ extraction: Extraction) {
        index = ExtractionIndex(extraction)
        scratch = ExtractionScratch(extraction)
        remaining = 0
        want()
    }

    /// Begins a record: the value of a log record, or a line without its line feed.
    ///
    /// - Returns: How many events it holds, or why none of it is taken; that counts as one event.
    /// - Complexity: O(bytes).
    public mutating func begin(_ bytes: ByteView, source: ArrivalSource) -> RecordOutcome {
        self.source = source
        recordBytes = bytes
        record = nil
        remaining = 0
        elementIndex = 0
        isBatch = false
        detail = .none
        if bytes.count > eventBytesMax {
            detail = .size
            return .rejected(.tooLarge)
        }
        guard let decoded = cohortd_json_decode(handle, bytes.base, bytes.count) else {
            preconditionFailure("a decoder answers every record")
        }
        record = decoded
        switch decoded.pointee.status {
        case COHORTD_JSON_DECODED: break
        case COHORTD_JSON_NOT_UTF8: return .rejected(.notUTF8)
        case COHORTD_JSON_NOT_JSON: return .rejected(.notJSON)
        case COHORTD_JSON_TOO_DEEP: return .rejected(.tooDeep)
        case COHORTD_JSON_DUPLICATE_KEY: return .rejected(.duplicateKey)
        default: preconditionFailure("no memory for a record of \(bytes.count) bytes")
        }
        guard decoded.pointee.event.kind == COHORTD_JSON_OBJECT else {
            detail = .noObject
            return .rejected(.notObject)
        }
        isBatch = decoded.pointee.is_batch
        if isBatch, decoded.pointee.events != COHORTD_JSON_ARRAY {
            detail = .noArray
            return .rejected(.notObject)
        }
        elementIndex = -1
        remaining = isBatch ? decoded.pointee.element_count : 1
        return .events(remaining)
    }

    /// The next event of the record.
    ///
    /// - Parameter previousArrival: Replay's running maximum of arrivals, nil = none yet. Not read otherwise.
    /// - Returns: What became of it; nil behind the last.
    public mutating func next(previousArrival: EventTime?) -> EventOutcome? {
        guard remaining > 0, let record else { return nil }
        remaining -= 1
        elementIndex += 1
        if isBatch { cohortd_json_element(handle, elementIndex) }
        return judge(record, previousArrival: previousArrival)
    }

    /// The bytes of the latest event: the whole record, or its element of a batch.
    public var elementBytes: ByteView {
        guard isBatch, elementIndex >= 0, let record, record.pointee.events == COHORTD_JSON_ARRAY,
            elementIndex < record.pointee.element_count
        else { return recordBytes }
        return ByteView(cohortd_json_element_bytes(handle, elementIndex))
    }

    private func want() {
        let lists = [index.topNames, index.event.heads, index.user.heads].map(NameList.init)
        lists[0].withViews { top in
            lists[1].withViews { event in
                lists[2].withViews { user in
                    cohortd_json_want(
                        handle,
                        top.baseAddress,
                        top.count,
                        event.baseAddress,
                        event.count,
                        user.baseAddress,
                        user.count
                    )
                }
            }
        }
    }
}

/// Names as the C face takes them.
private struct NameList {
    private var bytes: [UInt8] = []
    private var ranges: [Range<Int>] = []

    init(_ names: [String]) {
        for name in names {
            let start = bytes.count
            bytes.append(contentsOf: name.utf8)
            ranges.append(start..<bytes.count)
        }
        bytes.append(0)
    }

    func withViews(_ body: (UnsafeBufferPointer<cohortd_json_view>) -> Void) {
        bytes.withByteView { whole in
            let views = ranges.map {
                cohortd_json_view(base: whole.base + $0.lowerBound, count: $0.count)
            }
            views.withUnsafeBufferPointer(body)
        }
    }
}

extension ByteView {
    /// The same bytes; none where there is nothing at all.
    init(_ view: cohortd_json_view) {
        if let base = view.base {
            self.init(base: base, count: view.count)
        } else {
            self = .empty
        }
    }
}
