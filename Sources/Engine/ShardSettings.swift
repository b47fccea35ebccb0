public import Basics

/// Limits and windows that a shard needs beside its plan.
public struct ShardSettings: Sendable {
    /// Milliseconds within which an insert id repeats; 0 = never.
    public var dedupeWindow: Int64 = 604_800_000
    /// How much longer, in milliseconds, dedupe entries stay: for logs whose arrival times go back.
    public var dedupeSlack: Int64 = 0
    /// The most dedupe entries; beyond it the oldest goes first and is counted.
    public var dedupeEntriesMax = 10_000_000
    /// A new user beyond this is rejected.
    public var usersMax = 5_000_000
    /// The most times kept for a user and trace; beyond it the oldest go and the user is approximate.
    public var eventsPerTraceMax = 10_000
    /// Property names of a user beyond this are ignored and counted.
    public var propertiesPerUserMax = 1000
    /// Whether what an `$identify` does to properties shows only from the user's next event on.
    public var identifyWaits = false

    /// Whether what changed is kept for ``Shard/encodeChanges(_:)``; false where nobody takes snapshots,
    /// since the list of changes would only grow.
    public var keepsChanges = true

    /// The defaults of the configuration.
    public init() {}
}

/// A change of membership.
public struct Delta: Sendable, BitwiseCopyable {
    /// Index of the cohort in the plan.
    public var cohort: Int
    /// The user.
    public var slot: UserSlot
    /// Enter, else exit.
    public var entered: Bool
}

/// What became of an event.
public enum ApplyOutcome: Sendable {
    /// It counts, unless it turns out to be a duplicate.
    case taken
    /// A new user beyond the limit; the event took no part in anything.
    case usersMax
}

/// What a shard counted since it was made.
public struct ShardCounters: Sendable {
    /// Events that took part.
    public internal(set) var applied = 0
    /// Events that were dropped as duplicates.
    public internal(set) var deduplicated = 0
    /// Property operations that are not taken, or whose value is no map.
    public internal(set) var ignoredOperations = 0
    /// Assignments to names beyond the limit of a user.
    public internal(set) var ignoredProperties = 0
    /// Dedupe entries that left before their window was over.
    public internal(set) var dedupeShortened = 0
    /// Users of whom a trace lost times to the limit.
    public internal(set) var approximateUsers = 0
}
