import Basics
import CSimdJSON

// The rules of "Events in", in the order in which they are looked at: not_object, bad_type,
// missing_event_type, missing_id, bad_time, future. users_max and crash are not the decoder's.

extension EventDecoder {
    /// The most bytes of a user id, a device id or an event type.
    public static let idBytesMax = 1024

    /// What became of the event that `record` holds now.
    mutating func judge(_ record: DecodedRecord, previousArrival: EventTime?) -> EventOutcome {
        detail = .none
        guard record.pointee.event.kind == COHORTD_JSON_OBJECT else {
            return reject(.notObject, .noObject)
        }
        if let wrong = wrongType(record) { return reject(.badType, wrong) }
        guard let typeBase = record.pointee.event.event_type.text.base,
            record.pointee.event.event_type.text.count > 0
        else { return reject(.missingEventType, .none) }
        let eventType = ByteView(record.pointee.event.event_type.text)
        var kind = EventView.Kind.event
        if typeBase[0] == UInt8(ascii: "$") {
            if eventType.equals("$groupidentify") {
                return .filtered(arrival: arrivalIfAny(record, previousArrival))
            }
            if eventType.equals("$identify") { kind = .identify }
        }
        let hasUser = record.pointee.event.user_id.text.count > 0
        let hasDevice = record.pointee.event.device_id.text.count > 0
        guard hasUser || hasDevice else { return reject(.missingID, .none) }

        let ownTime: EventTime?
        switch Instant(ownTimeOf: record, within: validTimes) {
        case .absent: ownTime = nil
        case .at(let time): ownTime = time
        case .malformed:
            let isExportForm = Instant.isAbsent(record.pointee.event.time.kind)
            return reject(.badTime, .badTime(isExportForm ? "event_time" : "time"))
        }
        let arrival: EventTime
        switch source {
        case .log(let stamp):
            guard let known = inRange(stamp) ?? ownTime else {
                return reject(.badTime, .noTime)
            }
            arrival = known
        case .replay:
            var received = ownTime
            if !Instant.isAbsent(record.pointee.event.server_received_time.kind) {
                switch Instant(
                    record.pointee.event.server_received_time,
                    exportForm: true,
                    within: validTimes
                ) {
                case .absent: break
                case .at(let time): received = time
                case .malformed: return reject(.badTime, .badTime("server_received_time"))
                }
            }
            guard let received else { return reject(.badTime, .noTime) }
            arrival = max(received, previousArrival ?? received)
        }
        let time = ownTime ?? arrival
        let ahead = time.milliseconds - arrival.milliseconds
        guard ahead <= futureMax else { return reject(.future, .ahead(milliseconds: ahead)) }
        let user = ByteView(record.pointee.event.user_id.text)
        let device = ByteView(record.pointee.event.device_id.text)
        scratch.fields.pointee.kind = kind
        scratch.fields.pointee.userID = hasUser ? user : scratch.user(ofDevice: device)
        scratch.fields.pointee.eventType = eventType
        scratch.fields.pointee.time = time
        scratch.fields.pointee.arrival = arrival
        scratch.fields.pointee.dedupeOwner = hasDevice ? device : user
        scratch.fields.pointee.insertID = insertID(record)
        return .event(scratch.event(of: record, index))
    }

    /// `insert_id`, or `$insert_id` where it is absent, null or empty.
    private func insertID(_ record: DecodedRecord) -> ByteView {
        let hasOwn = record.pointee.event.insert_id.text.count > 0
        return ByteView(
            hasOwn
                ? record.pointee.event.insert_id.text : record.pointee.event.export_insert_id.text
        )
    }

    private mutating func reject(_ reason: RejectReason, _ detail: RejectDetail) -> EventOutcome {
        self.detail = detail
        return .rejected(reason)
    }

    /// The first field that is of a kind or length it must not be of.
    private func wrongType(_ record: DecodedRecord) -> RejectDetail? {
        let idMax = Self.idBytesMax
        if !Self.isID(record.pointee.event.user_id, countMax: idMax) { return .badID("user_id") }
        if !Self.isID(record.pointee.event.device_id, countMax: idMax) {
            return .badID("device_id")
        }
        switch record.pointee.event.event_type.kind {
        case COHORTD_JSON_ABSENT, COHORTD_JSON_NULL: break
        case COHORTD_JSON_TEXT where record.pointee.event.event_type.text.count <= idMax: break
        default: return .badEventType
        }
        if !Self.isID(record.pointee.event.insert_id, countMax: .max) {
            return .badInsertID("insert_id")
        }
        // Read only where it is needed, like `event_time`.
        if record.pointee.event.insert_id.text.count == 0,
            !Self.isID(record.pointee.event.export_insert_id, countMax: .max)
        {
            return .badInsertID("$insert_id")
        }
        if !Self.isObject(record.pointee.event.event_properties) {
            return .badProperties("event_properties")
        }
        if !Self.isObject(record.pointee.event.user_properties) {
            return .badProperties("user_properties")
        }
        return nil
    }

    private static func isID(_ field: cohortd_json_field, countMax: Int) -> Bool {
        switch field.kind {
        case COHORTD_JSON_ABSENT, COHORTD_JSON_NULL: true
        case COHORTD_JSON_TEXT, COHORTD_JSON_INTEGER, COHORTD_JSON_BIG_INTEGER:
            field.text.count <= countMax
        default: false
        }
    }

    private static func isObject(_ kind: cohortd_json_kind) -> Bool {
        kind == COHORTD_JSON_OBJECT || kind == COHORTD_JSON_ABSENT || kind == COHORTD_JSON_NULL
    }

    /// The log's timestamp, unless a producer stamped something that is no instant.
    private func inRange(_ stamp: EventTime?) -> EventTime? {
        guard let stamp, validTimes.contains(stamp.milliseconds) else { return nil }
        return stamp
    }

    /// The arrival of an event that is left out: a malformed time is nobody's fault here.
    private func arrivalIfAny(_ record: DecodedRecord, _ previousArrival: EventTime?) -> EventTime?
    {
        switch source {
        case .log(let stamp):
            return inRange(stamp)
        case .replay:
            let received: EventTime
            switch Instant(
                record.pointee.event.server_received_time,
                exportForm: true,
                within: validTimes
            ) {
            case .at(let time): received = time
            case .malformed: return nil
            case .absent:
                guard case .at(let time) = Instant(ownTimeOf: record, within: validTimes) else {
                    return nil
                }
                received = time
            }
            return max(received, previousArrival ?? received)
        }
    }
}

/// A field read as an instant.
private enum Instant {
    case absent
    case at(EventTime)
    case malformed

    /// The time an event gives itself: `time`, or `event_time` where that is absent or null.
    @inline(__always)
    init(ownTimeOf record: DecodedRecord, within valid: ClosedRange<Int64>) {
        if record.pointee.event.time.kind == COHORTD_JSON_INTEGER {
            // The usual form.
            self.init(milliseconds: record.pointee.event.time.integer, within: valid)
        } else if Self.isAbsent(record.pointee.event.time.kind) {
            self.init(record.pointee.event.event_time, exportForm: true, within: valid)
        } else {
            self.init(record.pointee.event.time, exportForm: false, within: valid)
        }
    }

    /// Whether a field of this kind says nothing.
    static func isAbsent(_ kind: cohortd_json_kind) -> Bool {
        kind == COHORTD_JSON_ABSENT || kind == COHORTD_JSON_NULL
    }

    @inline(__always)
    private init(milliseconds: Int64, within valid: ClosedRange<Int64>) {
        self =
            valid.contains(milliseconds) ? .at(EventTime(milliseconds: milliseconds)) : .malformed
    }

    /// Epoch milliseconds with an integral value, or RFC 3339 text, or also `YYYY-MM-DD HH:MM:SS[.ffffff]`.
    init(_ field: cohortd_json_field, exportForm: Bool, within valid: ClosedRange<Int64>) {
        let milliseconds: Int64
        switch field.kind {
        case COHORTD_JSON_ABSENT, COHORTD_JSON_NULL:
            self = .absent
            return
        case COHORTD_JSON_INTEGER:
            milliseconds = field.integer
        case COHORTD_JSON_DOUBLE:
            guard let whole = Int64(exactly: field.number) else {
                self = .malformed
                return
            }
            milliseconds = whole
        case COHORTD_JSON_TEXT:
            let text = ByteView(field.text).buffer
            guard
                let read = EventTime(rfc3339: text)
                    ?? (exportForm ? EventTime(exportForm: text) : nil)
            else {
                self = .malformed
                return
            }
            milliseconds = read.milliseconds
        default:
            self = .malformed
            return
        }
        self.init(milliseconds: milliseconds, within: valid)
    }
}
