/// Why an event is refused: a closed list, in the order in which the reasons are looked at.
///
/// Source: docs/operations.md, "Rejected events". The raw values are the stable words of logs, metrics and
/// dead letters.
public enum RejectReason: String, CaseIterable, Sendable {
    case tooLarge = "too_large"
    case notUTF8 = "not_utf8"
    case notJSON = "not_json"
    case tooDeep = "too_deep"
    case duplicateKey = "duplicate_key"
    case notObject = "not_object"
    case badType = "bad_type"
    case missingEventType = "missing_event_type"
    case missingID = "missing_id"
    case badTime = "bad_time"
    case future
    case usersMax = "users_max"
    case crash
    /// Commands only: no command has this type.
    case unknownCommand = "unknown_command"
    /// Commands only: a later version does it.
    case notYet = "not_yet"
}
