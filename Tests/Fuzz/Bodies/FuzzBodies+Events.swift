package import Basics
import Events

extension FuzzBodies {
    private static let narrow = Extraction()
    private static let wide = Extraction(
        eventProperties: ["price", "a", "a.b", "a.b.c", "", ".", "session_id", "é"],
        userProperties: ["plan", "a", "a.b", "platform", "country", "$set", ""]
    )

    /// Takes the input as a record of the events topic.
    ///
    /// Claims: what becomes of a record does not depend on what is asked for, nor on whose clock it has; what
    /// is accepted keeps to the limits; every value that is given out can be read to its end.
    package static func decodeEvents(_ bytes: ByteView) {
        let outcomes = [
            decode(bytes, narrow, .replay), decode(bytes, wide, .replay),
            decode(bytes, wide, .replay),
        ]
        precondition(outcomes[0] == outcomes[1], "accepted under one plan: \(outcomes)")
        precondition(outcomes[1] == outcomes[2], "accepted at one time: \(outcomes)")
        _ = decode(bytes, wide, .log(EventTime(milliseconds: 1_700_000_000_000)))
        _ = decode(bytes, wide, .log(nil))
    }

    /// One line for the record, or for each of its events.
    private static func decode(
        _ bytes: ByteView,
        _ extraction: Extraction,
        _ source: ArrivalSource
    ) -> [String] {
        var decoder = EventDecoder(
            extraction: extraction,
            eventBytesMax: 1 << 16,
            futureMax: 7 * 86_400_000
        )
        var reader = ValueReader()
        switch decoder.begin(bytes, source: source) {
        case .rejected(let reason):
            precondition(!decoder.rejectText.isEmpty, "no text for \(reason)")
            return [reason.rawValue]
        case .events(let count):
            var lines: [String] = []
            var previous: EventTime?
            while let outcome = decoder.next(previousArrival: previous) {
                switch outcome {
                case .event(let view):
                    check(view)
                    reader.read(view)
                    previous = max(previous ?? view.arrival, view.arrival)
                    lines.append(
                        "event \(view.userID.string) \(view.time) \(view.arrival) \(view.ignoredOperations)"
                    )
                case .filtered(let arrival):
                    previous = arrival ?? previous
                    lines.append("filtered \(String(describing: arrival))")
                case .rejected(let reason):
                    precondition(!decoder.rejectText.isEmpty, "no text for \(reason)")
                    lines.append(reason.rawValue)
                }
                precondition(
                    decoder.elementBytes.count <= bytes.count,
                    "an element beyond its record"
                )
            }
            precondition(lines.count == count, "\(lines.count) events of \(count)")
            return lines
        }
    }

    private static func check(_ view: EventView) {
        precondition(
            (1...1031).contains(view.userID.count),
            "a user id of \(view.userID.count) bytes"
        )
        precondition(
            (1...1024).contains(view.eventType.count),
            "a type of \(view.eventType.count) bytes"
        )
        precondition(
            view.time >= .earliest && view.time <= .latest,
            "time \(view.time.milliseconds)"
        )
        precondition(
            view.time - view.arrival <= 7 * 86_400_000,
            "from the future: \(view.time.rfc3339)"
        )
    }

    /// Reads all that an event gives out, so that the sanitizer sees every byte.
    private struct ValueReader {
        private var hash: UInt64 = 0
        private var result: [UInt8] = []

        mutating func read(_ view: EventView) {
            add(view.userID)
            add(view.eventType)
            add(view.dedupeOwner)
            add(view.insertID)
            for value in view.eventProperties { read(value) }
            for value in view.userProperties { read(value) }
            for assignment in view.assignments {
                add(assignment.name)
                read(assignment.value)
                apply(assignment)
            }
        }

        private mutating func add(_ bytes: ByteView) {
            hash = Hashing.combine(hash, Hashing.hash64(bytes))
        }

        private mutating func read(_ value: ValueView) {
            if let text = value.text { add(text) }
            if let integer = value.integer {
                hash = Hashing.combine(hash, UInt64(bitPattern: integer))
            }
            if let double = value.double { precondition(double.isFinite, "\(double)") }
            if let canonical = value.canonicalHash() { hash = Hashing.combine(hash, canonical.low) }
            value.forEachScalarHash { hash = Hashing.combine(hash, $0 ^ $1) }
            hash = Hashing.combine(hash, value.micro() == nil ? 0 : 1)
            for element in value.elements { read(element) }
            for member in value.members {
                add(member.name)
                read(member.value)
            }
        }

        /// Every operation that reads what it changes, on the value of another.
        private mutating func apply(_ assignment: Assignment) {
            switch assignment.operation {
            case .add, .append, .prepend, .preInsert, .postInsert, .remove:
                let outcome = PropertyOperation.apply(
                    assignment.operation,
                    current: assignment.value,
                    operand: assignment.value,
                    into: &result
                )
                precondition(!result.isEmpty || outcome != .written, "nothing was written")
            default: break
            }
        }
    }
}
