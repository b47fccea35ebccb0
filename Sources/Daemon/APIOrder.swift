import HTTPAPI
import Threads

/// What a caller of the API wants the control thread to do, and where the answer goes.
struct APIOrder<Request: Sendable, Answer: Sendable>: Sendable {
    let request: Request
    let reply = Mailbox<Result<Answer, APIQueryError>>(capacity: 1)
}
