package import Configuration
package import Engine

extension ShardSettings {
    /// The shard's part of the settings that replay and the daemon share.
    package init(_ configuration: ReplayConfiguration) {
        self.init()
        dedupeWindow = configuration.dedupe.windowMilliseconds
        dedupeEntriesMax = configuration.dedupe.entriesMax
        usersMax = configuration.limits.usersMax
        eventsPerTraceMax = configuration.limits.eventsPerTraceMax
        propertiesPerUserMax = configuration.limits.propertiesPerUserMax
        identifyWaits = configuration.identify == .nextEvent
    }
}
