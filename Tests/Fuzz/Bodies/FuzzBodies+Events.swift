package import Basics
import Events

extension FuzzBodies {
    private static let futureMax: Int64 = 7 * 86_400_000
    private static let stamp = EventTime(milliseconds: 1_700_000_000_000)
    private static let sources = [ArrivalSource.replay, .log(stamp), .log(nil)]
    private static let implementations = EventDecoder.implementations

    private static let narrow = Extraction()
    private static let wide = Extraction(
        eventProperties: ["price", "a", "a.b", "a.b.c", "", ".", "session_id", "é"],
        userProperties: ["plan", "a", "a.b", "platform", "country", "$set", ""]
    )

    /// Takes the input as a record of the events topic.
    ///
    /// Claims: the answer is the same a second time, on each of simdjson's implementations, and, values aside,
    /// whatever is asked for; what is accepted keeps to the limits; the elements of a batch lie in it one
    /// behind the other and fare alone as they fare there; every value that is given out can be read to its
    /// end.
    package static func decodeEvents(_ bytes: ByteView) {
        var full = decoder(wide)
        var bare = decoder(narrow)
        for source in sources {
            let answers = decode(bytes, &full, source)
            let again = decode(bytes, &full, source)
            claim(again == answers, "the second time: \(again), not \(answers)")
            let facts = decode(bytes, &bare, source).map(\.facts)
            claim(facts == answers.map(\.facts), "of less: \(facts), not \(answers)")
            if full.isBatch { checkElements(of: bytes, answers, &full, source) }
        }
        let answers = decode(bytes, &full, .replay)
        for implementation in implementations {
            var other = decoder(wide, implementation)
            let others = decode(bytes, &other, .replay)
            claim(others == answers, "on \(implementation): \(others), not \(answers)")
        }
    }

    private static func decoder(
        _ extraction: Extraction,
        _ implementation: String? = nil
    ) -> EventDecoder {
        EventDecoder(
            extraction: extraction,
            eventBytesMax: 1 << 16,
            futureMax: futureMax,
            implementation: implementation
        )
    }

    /// What became of a record or of an event.
    private struct Answer: Equatable {
        /// What does not depend on what is asked for.
        var facts: String
        /// The values that were asked for.
        var values: UInt64 = 0
        /// The bytes of an element of a batch.
        var element: [UInt8] = []
    }

    /// One answer for the record, or for each of its events.
    private static func decode(
        _ bytes: ByteView,
        _ decoder: inout EventDecoder,
        _ source: ArrivalSource
    ) -> [Answer] {
        switch decoder.begin(bytes, source: source) {
        case .rejected(let reason):
            claim(!decoder.rejectText.isEmpty, "no text for \(reason)")
            return [Answer(facts: reason.rawValue)]
        case .events(let count):
            var answers: [Answer] = []
            var previous: EventTime?
            while let outcome = decoder.next(previousArrival: previous) {
                var answer: Answer
                switch outcome {
                case .event(let view):
                    check(view, source, previous)
                    previous = view.arrival
                    answer = Self.answer(view)
                case .filtered(let arrival):
                    previous = arrival ?? previous
                    answer = Answer(facts: "filtered \(String(describing: arrival))")
                case .rejected(let reason):
                    claim(!decoder.rejectText.isEmpty, "no text for \(reason)")
                    answer = Answer(facts: reason.rawValue)
                }
                if decoder.isBatch {
                    answer.element = decoder.elementBytes.array
                } else {
                    claim(decoder.elementBytes.equals(bytes), "another record's bytes")
                }
                answers.append(answer)
            }
            claim(answers.count == count, "\(answers.count) events of \(count)")
            return answers
        }
    }

    private static func check(
        _ view: EventView,
        _ source: ArrivalSource,
        _ previous: EventTime?
    ) {
        let idMax = EventDecoder.idBytesMax
        let isDevice = view.userID.string.hasPrefix("device:")
        let userMax = isDevice ? idMax + 7 : idMax
        claim(
            (1...userMax).contains(view.userID.count),
            "a user id of \(view.userID.count) bytes"
        )
        claim(
            (1...idMax).contains(view.eventType.count),
            "a type of \(view.eventType.count) bytes"
        )
        claim(
            (1...idMax).contains(view.dedupeOwner.count),
            "an owner of \(view.dedupeOwner.count) bytes"
        )
        claim(
            view.time >= .earliest && view.time <= .latest,
            "time \(view.time.milliseconds)"
        )
        claim(
            view.time - view.arrival <= futureMax,
            "from the future: \(view.time.rfc3339)"
        )
        switch source {
        case .replay:
            claim(previous.map { view.arrival >= $0 } ?? true, "it arrived before the last")
        case .log(nil): claim(view.arrival == view.time, "another time of arrival")
        case .log(let stamp?): claim(view.arrival == stamp, "another time of arrival")
        }
    }

    private static func answer(_ view: EventView) -> Answer {
        var assignments = ValueReader()
        for assignment in view.assignments { assignments.read(assignment) }
        var values = ValueReader()
        for value in view.eventProperties { values.read(value) }
        for value in view.userProperties { values.read(value) }
        let texts = [view.userID, view.eventType, view.dedupeOwner, view.insertID].map(\.string)
        return Answer(
            facts: """
                \(view.kind) \(texts) \(view.time) \(view.arrival) \(view.ignoredOperations) \
                \(assignments.hash)
                """,
            values: values.hash
        )
    }

    private static func checkElements(
        of bytes: ByteView,
        _ answers: [Answer],
        _ decoder: inout EventDecoder,
        _ source: ArrivalSource
    ) {
        var rest = bytes.buffer[...]
        for answer in answers where !answer.element.isEmpty {
            guard let place = rest.firstRange(of: answer.element) else {
                fatalError("an element that is not in its record: \(answer)")
            }
            rest = rest[place.upperBound...]
            // Replay's arrivals depend on the events before.
            guard case .log = source else { continue }
            answer.element.withByteView { element in
                let alone = decode(element, &decoder, source)
                // What is a batch itself when alone is an event without a type in a batch.
                guard !decoder.isBatch else { return }
                claim(
                    alone.map(\.facts) == [answer.facts] && alone[0].values == answer.values,
                    "alone: \(alone), not \(answer)"
                )
            }
        }
    }

    /// Reads all that an event gives out, so that the sanitizer sees every byte.
    private struct ValueReader {
        private(set) var hash: UInt64 = 0
        private var result: [UInt8] = []

        /// An assignment, and every operation that reads what it changes.
        mutating func read(_ assignment: Assignment) {
            add(UInt64(assignment.operation.rawValue))
            add(assignment.name)
            read(assignment.value)
            switch assignment.operation {
            case .add, .append, .prepend, .preInsert, .postInsert, .remove:
                let outcome = PropertyOperation.apply(
                    assignment.operation,
                    current: assignment.value,
                    operand: assignment.value,
                    into: &result
                )
                guard case .written = outcome else {
                    FuzzBodies.claim(result.isEmpty, "something was written")
                    return
                }
                result.withByteView { read(ValueView($0)) }
            default: break
            }
        }

        mutating func read(_ value: ValueView) {
            add(value.bytes)
            if let text = value.text { add(text) }
            if let integer = value.integer { add(UInt64(bitPattern: integer)) }
            if let double = value.double { FuzzBodies.claim(double.isFinite, "\(double)") }
            if let canonical = value.canonicalHash() { add(canonical.low) }
            value.forEachScalarHash { add($0 ^ $1) }
            if let micro = value.micro() { add(UInt64(truncatingIfNeeded: micro)) }
            for element in value.elements { read(element) }
            for member in value.members {
                add(member.name)
                read(member.value)
            }
        }

        private mutating func add(_ bytes: ByteView) { add(Hashing.hash64(bytes)) }

        private mutating func add(_ number: UInt64) { hash = Hashing.combine(hash, number) }
    }
}
