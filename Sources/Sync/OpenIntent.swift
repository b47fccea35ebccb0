import Basics

/// A durable batch without a result.
struct OpenIntent: Sendable {
    var messageID: String
    var cohortID: String
    var cohortName: String
    var tick: EventTime
    /// Slots in the ledger: first those who leave, then those who enter, each sorted by the bytes of the names.
    var users: [UInt32]
    /// How many leave.
    var exitCount: Int
    /// By user, where records are numbered: the number of the partition, and that of the record.
    var origins: [(partition: UInt16, sequence: UInt64)] = []
    /// By user, where properties are sent along: the text of a JSON object.
    var properties: [[UInt8]] = []
    /// The oldest of its users' ages.
    var age: Age
    /// When an attempt last ended with nobody knowing how; nil while none did.
    var unknownSince: Int64?
    var isInFlight = false

    /// What happened to the user at a place.
    func operation(at place: Int) -> Operation { place < exitCount ? .exit : .enter }
}

/// An attempt of unknown outcome that may still be applied late.
struct Doubt: Sendable {
    var operation: Operation
    /// When the attempt was given up.
    var since: Int64
    var age: Age
    /// When the opposite was confirmed; it is sent once more some time later.
    var answeredAt: Int64?
}

/// A user whom the destination does not take.
struct Skip: Sendable {
    /// What was refused; wanted any more or not, the refusal is of that only.
    var operation: Operation
    /// The word of a template or of the engine, with the partner's own code behind a colon.
    var reason: String
    /// Since when, in milliseconds of the clock that never jumps.
    var since: Int64
}
