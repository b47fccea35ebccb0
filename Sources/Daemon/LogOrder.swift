import Basics
import HTTPAPI
import Threads

/// What a person wants done about a log of Kafka, and where the answer goes.
struct LogOrder: Sendable {
    let request: LogRequest
    let reply: Mailbox<Result<LogReport, APIQueryError>>
}
