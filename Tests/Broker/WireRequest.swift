/// A request of the Kafka protocol that the broker understands, by its number.
///
/// Source: the protocol guide of Apache Kafka, "The Messages".
package enum WireRequest: Int16, CaseIterable, Sendable {
    case produce = 0
    case fetch = 1
    case listOffsets = 2
    case metadata = 3
    case offsetCommit = 8
    case offsetFetch = 9
    case findCoordinator = 10
    case joinGroup = 11
    case heartbeat = 12
    case leaveGroup = 13
    case syncGroup = 14
    case describeGroups = 15
    case saslHandshake = 17
    case apiVersions = 18
    case initProducerID = 22
    case saslAuthenticate = 36

    /// The one version that is spoken: the lowest that does what the tests need.
    ///
    /// Older ones are offered too, for librdkafka concludes from their names what a broker can do; it takes the
    /// newest of both sides, so it never uses them.
    var version: Int16 {
        switch self {
        // The first with record batches, those of an idempotent producer, and offsets of the first record.
        case .produce: 7
        case .fetch: 4
        // The first that tells committed records from others.
        case .listOffsets: 2
        case .metadata: 4
        case .offsetCommit: 2
        case .offsetFetch: 1
        case .findCoordinator, .describeGroups, .initProducerID, .saslAuthenticate: 0
        // The first with `group.instance.id`.
        case .joinGroup: 5
        case .heartbeat, .syncGroup: 3
        case .leaveGroup, .saslHandshake: 1
        case .apiVersions: 3
        }
    }
}

/// Error codes of the Kafka protocol.
package enum WireError {
    package static let none: Int16 = 0
    package static let offsetOutOfRange: Int16 = 1
    package static let unknownTopicOrPartition: Int16 = 3
    package static let notLeader: Int16 = 6
    package static let requestTimedOut: Int16 = 7
    package static let messageTooLarge: Int16 = 10
    package static let illegalGeneration: Int16 = 22
    package static let unknownMember: Int16 = 25
    package static let topicAuthorizationFailed: Int16 = 29
    package static let groupAuthorizationFailed: Int16 = 30
    package static let outOfOrderSequence: Int16 = 45
    package static let saslAuthenticationFailed: Int16 = 58
    package static let unknownProducerID: Int16 = 59
    package static let fencedInstance: Int16 = 82
    /// No record of a batch was stored, because one of them is wrong.
    package static let invalidRecord: Int16 = 87
}
