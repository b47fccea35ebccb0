public import Basics
import CSimdJSON

/// What a record of the commands topic asks for.
public enum Command {
    /// The user is put into a cohort's list of uploaded users, or taken out of it.
    case upload(user: ByteView, cohort: ByteView, isIn: Bool)
    /// The same as a `$identify` event at the record's timestamp.
    case identify(EventView)
}

/// What became of a record of the commands topic.
public enum CommandOutcome {
    /// Valid until the decoder is asked for anything else. Counts from the record's timestamp on.
    case command(Command, at: EventTime)
    /// It is refused; ``CommandDecoder/rejectText`` says why.
    case rejected(RejectReason)
}

/// Turns records of the commands topic into commands: the key is the user's id, the value one JSON object.
///
/// The walk over a record and its limits are those of ``EventDecoder``; keys it does not know are ignored.
///
/// Source: docs/operations.md, "Commands".
public struct CommandDecoder: ~Copyable {
    private static let names = ["type", "cohort", "op"]

    private var records: EventDecoder
    private var text: String?

    /// A decoder whose identifies carry the user properties that `extraction` wants.
    /// - Parameters:
    ///   - extraction: The wanted properties; acceptance does not depend on them.
    ///   - eventBytesMax: Longer records are too large.
    public init(extraction: Extraction, eventBytesMax: Int) {
        records = EventDecoder(
            extraction: extraction,
            eventBytesMax: eventBytesMax,
            futureMax: 0,
            implementation: nil,
            topNames: Self.names
        )
    }

    /// Why the latest record was refused, for people.
    ///
    /// To be asked only after a reject. Allocates.
    public var rejectText: String { text ?? records.rejectText }

    /// Reads one record.
    ///
    /// - Parameters:
    ///   - value: Its value.
    ///   - key: Its key.
    ///   - timestamp: The log's; nil where it has none.
    /// - Returns: The command, or why it is refused.
    /// - Complexity: O(bytes).
    public mutating func decode(
        _ value: ByteView,
        key: ByteView?,
        timestamp: EventTime?
    ) -> CommandOutcome {
        text = nil
        if case .rejected(let reason) = records.begin(value, source: .log(timestamp)) {
            if reason == .notObject { text = "a command must be one JSON object" }
            return .rejected(reason)
        }
        guard let record = records.record, !records.isBatch else {
            return reject(.badType, "a command is one object and has no `events`")
        }
        guard case .object = Kind(record.pointee.event.kind) else {
            return reject(.notObject, "a command must be one JSON object")
        }
        for (name, value) in zip(Self.names, values(record)) where !value.isMissingOrNull {
            if value.text == nil { return reject(.badType, "`\(name)` must be text") }
        }
        let type = values(record)[0].text?.string ?? ""
        switch type {
        case "upload", "identify": break
        case "delete": return reject(.notYet, "a later version does \"delete\"; nothing was done")
        default:
            return reject(
                .unknownCommand,
                type.isEmpty
                    ? "`type` is absent or empty"
                    : "`type` must be \"upload\" or \"identify\", not \"\(type.prefix(64))\""
            )
        }
        guard let key, !key.isEmpty else {
            return reject(.missingID, "the record has no key: it must be the user's id")
        }
        guard key.count <= EventDecoder.idBytesMax else {
            return reject(
                .badType,
                "the key must be a user id of at most \(EventDecoder.idBytesMax) bytes"
            )
        }
        guard String(validating: key.buffer, as: UTF8.self) != nil else {
            return reject(.notUTF8, "the bytes of the key are not UTF-8")
        }
        guard let timestamp, timestamp >= .earliest, timestamp <= .latest else {
            return reject(.badTime, "the record has no timestamp in the years 0001 to 9999")
        }
        return type == "upload"
            ? upload(record, key, timestamp) : identify(record, key, timestamp)
    }

    /// What the record has under ``names``, in their order.
    private func values(_ record: DecodedRecord) -> [ValueView] {
        let first = records.index.topNames.count - Self.names.count
        let found = record.pointee.event.top_values
        return Self.names.indices.map { ValueView(ByteView(found.values[first + $0])) }
    }

    private mutating func upload(
        _ record: DecodedRecord,
        _ user: ByteView,
        _ time: EventTime
    ) -> CommandOutcome {
        let values = values(record)
        guard let cohort = values[1].text, !cohort.isEmpty else {
            return reject(.badType, "`cohort` must be the id of a cohort")
        }
        let isIn: Bool
        switch values[2].text?.string {
        case "add": isIn = true
        case "remove": isIn = false
        default: return reject(.badType, "`op` must be \"add\" or \"remove\"")
        }
        return .command(.upload(user: user, cohort: cohort, isIn: isIn), at: time)
    }

    private mutating func identify(
        _ record: DecodedRecord,
        _ user: ByteView,
        _ time: EventTime
    ) -> CommandOutcome {
        switch Kind(record.pointee.event.user_properties) {
        case .object, .nothing: break
        case .other: return reject(.badType, "`user_properties` must be an object")
        }
        return .command(
            .identify(records.identify(of: record, user: user, at: time)),
            at: time
        )
    }

    private mutating func reject(_ reason: RejectReason, _ text: String) -> CommandOutcome {
        self.text = text
        return .rejected(reason)
    }

    /// As far as a command cares.
    private enum Kind {
        case object
        case nothing
        case other

        init(_ kind: cohortd_json_kind) {
            switch kind {
            case COHORTD_JSON_OBJECT: self = .object
            case COHORTD_JSON_ABSENT, COHORTD_JSON_NULL: self = .nothing
            default: self = .other
            }
        }
    }
}

extension EventDecoder {
    private static let identifyType: StaticString = "$identify"

    /// The `$identify` that a command's record holds.
    fileprivate mutating func identify(
        of record: DecodedRecord,
        user: ByteView,
        at time: EventTime
    ) -> EventView {
        let type = Self.identifyType
        scratch.fields.pointee.kind = .identify
        scratch.fields.pointee.userID = user
        scratch.fields.pointee.eventType = ByteView(
            base: type.utf8Start,
            count: type.utf8CodeUnitCount
        )
        scratch.fields.pointee.time = time
        scratch.fields.pointee.arrival = time
        scratch.fields.pointee.dedupeOwner = user
        scratch.fields.pointee.insertID = .empty
        return scratch.event(of: record, index)
    }
}
