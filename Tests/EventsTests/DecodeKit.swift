import Basics
import Testing

@testable import Events

/// What a test wants to know of one event, copied out of the decoder's memory.
struct Decoded: Equatable {
    var kind = "event"
    var user = ""
    var type = ""
    var time: Int64 = 0
    var arrival: Int64 = 0
    var owner = ""
    var insertID = ""
    var event: [String] = []
    var userProperties: [String] = []
    var assignments: [String] = []
    var ignored = 0
}

/// An outcome as a test compares it.
enum Outcome: Equatable, CustomStringConvertible {
    case event(Decoded)
    case filtered(Int64?)
    case rejected(RejectReason)

    var description: String {
        switch self {
        case .event(let event): "event \(event)"
        case .filtered(let arrival): "filtered \(arrival.map { "\($0)" } ?? "nil")"
        case .rejected(let reason): reason.rawValue
        }
    }

    var reason: RejectReason? {
        guard case .rejected(let reason) = self else { return nil }
        return reason
    }

    var decoded: Decoded? {
        guard case .event(let event) = self else { return nil }
        return event
    }
}

/// A value written out the way a reader of a test expects it: JSON, with `1.0` for the double one.
func render(_ value: ValueView) -> String {
    switch value.kind {
    case nil: return "-"
    case .null: return "null"
    case .no: return "false"
    case .yes: return "true"
    case .integer: return value.integer.map { "\($0)" } ?? "?"
    case .double: return value.double.map { "\($0)" } ?? "?"
    case .text: return value.text.map { "\"\($0.string)\"" } ?? "?"
    case .array: return "[" + value.elements.map { render($0) }.joined(separator: ",") + "]"
    case .object:
        let members = value.members.map { "\($0.name.string):\(render($0.value))" }
        return "{" + members.joined(separator: ",") + "}"
    }
}

/// One record through a decoder of its own: what became of the record, and of each of its events.
///
/// Replay's running maximum is kept as replay keeps it.
func decode(
    _ bytes: [UInt8],
    _ extraction: Extraction = Extraction(),
    source: ArrivalSource = .replay,
    eventBytesMax: Int = 1 << 20,
    futureMax: Int64 = 7 * 86_400_000,
    implementation: String? = nil
) -> [Outcome] {
    var decoder = EventDecoder(
        extraction: extraction,
        eventBytesMax: eventBytesMax,
        futureMax: futureMax,
        implementation: implementation
    )
    return outcomes(of: bytes, &decoder, source)
}

func decode(
    _ json: String,
    _ extraction: Extraction = Extraction(),
    source: ArrivalSource = .replay
) -> [Outcome] {
    decode(Array(json.utf8), extraction, source: source)
}

/// The one outcome of a record that is no batch.
func decodeOne(
    _ json: String,
    _ extraction: Extraction = Extraction(),
    source: ArrivalSource = .replay
) -> Outcome? {
    let outcomes = decode(json, extraction, source: source)
    return outcomes.count == 1 ? outcomes[0] : nil
}

func outcomes(
    of bytes: [UInt8],
    _ decoder: inout EventDecoder,
    _ source: ArrivalSource
) -> [Outcome] {
    // A buffer of exactly that size, so that a read beyond it shows under the address sanitizer.
    let exact = UnsafeMutablePointer<UInt8>.allocate(capacity: max(bytes.count, 1))
    defer { exact.deallocate() }
    for (place, byte) in bytes.enumerated() { exact[place] = byte }
    var outcomes: [Outcome] = []
    switch decoder.begin(ByteView(base: exact, count: bytes.count), source: source) {
    case .rejected(let reason):
        outcomes.append(.rejected(reason))
    case .events(let count):
        var previous: EventTime?
        while let outcome = decoder.next(previousArrival: previous) {
            switch outcome {
            case .event(let view):
                previous = view.arrival
                outcomes.append(.event(Decoded(view)))
            case .filtered(let arrival):
                previous = arrival ?? previous
                outcomes.append(.filtered(arrival?.milliseconds))
            case .rejected(let reason):
                outcomes.append(.rejected(reason))
            }
        }
        #expect(outcomes.count == count)
    }
    return outcomes
}

extension Decoded {
    init(_ view: EventView) {
        kind = view.kind == .identify ? "identify" : "event"
        user = view.userID.string
        type = view.eventType.string
        time = view.time.milliseconds
        arrival = view.arrival.milliseconds
        owner = view.dedupeOwner.string
        insertID = view.insertID.string
        event = view.eventProperties.map { render($0) }
        userProperties = view.userProperties.map { render($0) }
        assignments = view.assignments.map {
            ($0.operation == .set ? "" : "\($0.operation) ")
                + "\($0.name.string)=\(render($0.value))"
        }
        ignored = view.ignoredOperations
    }
}
