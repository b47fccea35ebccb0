/// The exit statuses of cohortctl.
///
/// Source: docs/operations.md, "Exit codes".
enum ExitStatus: Int32, Error {
    case success = 0
    /// The answer is no: an unknown id, a conflict.
    case no = 1
    case definitionInvalid = 2
    case eventsRejected = 3
    case usage = 64
    case inputMissing = 66
    case unreachable = 69
    case outputFailed = 74
    case keyRefused = 77
    case configuration = 78
}
