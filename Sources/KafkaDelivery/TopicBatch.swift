import Kafka
import Sync

/// A batch whose records are with the client.
struct TopicBatch {
    private let syncID: String
    private let messageID: String
    let count: Int
    let timeoutMilliseconds: Int64
    /// Nil while nobody waits for the outcome.
    var token: UInt64?
    /// On the monotonic clock.
    var deadline: Int64
    /// Records that the client took and has not reported on.
    var openCount = 0
    private var acknowledgedCount = 0
    /// The first error of a record.
    var error: KafkaError?
    private var isMaybeApplied = false

    init(_ request: DeliveryRequest, token: UInt64, deadline: Int64) {
        syncID = request.syncID
        messageID = request.messageID
        count = request.users.count
        timeoutMilliseconds = request.timeoutMilliseconds
        self.token = token
        self.deadline = deadline
    }

    /// Whether the brokers refused us what we asked for.
    var isRefused: Bool {
        switch error?.kind {
        case .authorization, .authentication: true
        default: false
        }
    }

    /// Whether it carries the same records: a message id has the same content for ever.
    func isSame(as request: DeliveryRequest) -> Bool {
        syncID == request.syncID && messageID == request.messageID
    }

    /// Counts the report of one record.
    mutating func note(_ error: KafkaError?) {
        openCount -= 1
        guard let error else {
            acknowledgedCount += 1
            return
        }
        if self.error == nil { self.error = error }
        if !Self.isRefusal(error) { isMaybeApplied = true }
    }

    /// What became of it, once no record is open.
    func outcome(topic: String) -> DeliveryOutcome {
        guard let error else { return .delivered }
        let detail =
            "topic \(topic): \(acknowledgedCount) of \(count) records acknowledged;"
            + " \(error.description)"
        let isUntouched = acknowledgedCount == 0 && !isMaybeApplied
        switch error.kind {
        case .authorization, .authentication:
            let remedy = "; give the user of properties the right to write to it"
            return isUntouched
                ? .authenticationRefused(detail: detail + remedy)
                : .retriable(detail: detail + remedy)
        case .queueFull:
            return .retriable(
                detail: detail + "; the client holds as much as it may, look at the brokers",
                knownNotApplied: isUntouched
            )
        case .unknownTopicOrPartition:
            return .retriable(
                detail: detail + "; create the topic, or correct topic",
                knownNotApplied: isUntouched
            )
        default:
            return .retriable(detail: detail, knownNotApplied: isUntouched)
        }
    }

    /// Whether an error says that the record was certainly not stored.
    private static func isRefusal(_ error: KafkaError) -> Bool {
        switch error.kind {
        case .authorization, .authentication, .unknownTopicOrPartition, .configuration: true
        default: false
        }
    }
}
