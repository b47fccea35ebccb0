import Basics
import Events
import Telemetry

/// An event that was refused, with what a person needs to find it.
struct RejectedEvent: Sendable {
    let partition: PartitionID
    let offset: Offset
    /// Position in a batch; nil where the record is no batch or was refused whole.
    let index: Int?
    let reason: RejectReason
    let text: String
    let key: [UInt8]?
    let value: [UInt8]
}

/// Where refused events go: said in the log, one line a reason and minute with a count of the others.
final class RejectSink: Sendable {
    private let logger: Logger

    init(logger: Logger) {
        self.logger = logger
    }

    func take(_ event: RejectedEvent) {
        let element = event.index.map { "[\($0)]" } ?? ""
        logger.warning(
            "event_rejected", event.text,
            [
                "reason": LogValue(event.reason.rawValue), "partition": LogValue(event.partition),
                "record": LogValue("\(event.offset)\(element)"),
            ], repeatKey: event.reason.rawValue)
    }
}
