import Basics
import CSimdJSON

/// What ``EventDecoder/rejectText`` is made of; costs nothing until somebody reads it.
enum RejectDetail {
    case none
    case size
    case noObject
    case noArray
    case badID(StaticString)
    case badEventType
    case badInsertID(StaticString)
    case badProperties(StaticString)
    case badTime(StaticString)
    case noTime
    case ahead(milliseconds: Int64)
}

extension EventDecoder {
    /// Why the latest record or event was refused, for people; which field, and what was expected.
    ///
    /// To be asked only after a reject. Allocates.
    public var rejectText: String {
        switch detail {
        case .none: textOfRecord
        case .size:
            "\(recordBytes.count) bytes, more than event_bytes_max allows (\(eventBytesMax))"
        case .noObject:
            isBatch ? "an element of `events` must be an object" : "an event must be a JSON object"
        case .noArray: "`events` must be an array of events"
        case .badID(let name):
            "`\(name)` must be text or an integer, of at most \(Self.idBytesMax) bytes"
        case .badEventType: "`event_type` must be text of at most \(Self.idBytesMax) bytes"
        case .badInsertID(let name): "`\(name)` must be text or an integer"
        case .badProperties(let name): "`\(name)` must be an object"
        case .badTime(let name):
            """
            `\(name)` must be milliseconds since 1970 as a whole number or RFC 3339 text like \
            2026-01-05T00:00:00Z, in the years 0001 to 9999
            """
        case .noTime:
            switch source {
            case .log: "no `time`, and the record has no timestamp"
            case .replay: "no `time` and no `server_received_time`"
            }
        case .ahead(let milliseconds):
            """
            `time` is \(milliseconds) ms ahead of the arrival, more than future_max allows \
            (\(futureMax) ms)
            """
        }
    }

    /// Without a detail of its own, what the walk over the record says.
    private var textOfRecord: String {
        guard let record else { return "" }
        switch record.pointee.status {
        case COHORTD_JSON_NOT_UTF8: return "the bytes are not UTF-8"
        case COHORTD_JSON_TOO_DEEP: return "more than 64 objects and arrays inside one another"
        case COHORTD_JSON_DUPLICATE_KEY:
            return
                "the key `\(ByteView(record.pointee.duplicate).string)` is there twice in one object"
        case COHORTD_JSON_NOT_JSON: return textOfFault(record)
        default: break
        }
        let type = ByteView(record.pointee.event.event_type.text)
        return type.isEmpty
            ? "`event_type` is absent or empty" : "neither `user_id` nor `device_id` is there"
    }

    private func textOfFault(_ record: DecodedRecord) -> String {
        let place = "at byte \(record.pointee.position)"
        return switch record.pointee.fault {
        case COHORTD_JSON_FAULT_EMPTY: "there is no value"
        case COHORTD_JSON_FAULT_VALUE: "a value is expected \(place)"
        case COHORTD_JSON_FAULT_LITERAL: "true, false or null is expected \(place)"
        case COHORTD_JSON_FAULT_NUMBER: "the number \(place) is malformed"
        case COHORTD_JSON_FAULT_NUMBER_RANGE: "the number \(place) is beyond a double"
        case COHORTD_JSON_FAULT_ESCAPE: "the escape \(place) is malformed or half of a pair"
        case COHORTD_JSON_FAULT_KEY: "a key in quotes is expected \(place)"
        case COHORTD_JSON_FAULT_COLON: "a colon is expected \(place)"
        case COHORTD_JSON_FAULT_COMMA: "a comma or a closing bracket is expected \(place)"
        case COHORTD_JSON_FAULT_TRAILING: "something follows the value \(place)"
        case COHORTD_JSON_FAULT_STRING_OPEN: "a text is not closed"
        case COHORTD_JSON_FAULT_CONTROL_CHARACTER: "a control character in a text is not escaped"
        default: "not JSON"
        }
    }
}
