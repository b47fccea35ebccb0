public import Basics

/// Where the arrival of an event comes from.
public enum ArrivalSource: Sendable {
    /// The log's own timestamp; nil where it has none. One outside the years 0001…9999 counts as none.
    case log(EventTime?)
    /// The event's `server_received_time`, else its `time`, and never before the line above it.
    case replay
}

/// What a record is.
public enum RecordOutcome: Equatable, Sendable {
    /// So many events, which ``EventDecoder/next(previousArrival:)`` gives one by one.
    case events(Int)
    /// Nothing of it is taken.
    case rejected(RejectReason)
}

/// What became of one event.
public enum EventOutcome {
    /// It counts. Valid until the decoder is asked for anything else.
    case event(EventView)
    /// It is no event of ours, on purpose; it only moves replay's running maximum, where it has an arrival.
    case filtered(arrival: EventTime?)
    /// It is refused; ``EventDecoder/rejectText`` says why.
    case rejected(RejectReason)
}
