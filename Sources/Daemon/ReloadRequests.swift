/// How a daemon is asked to read its configuration again, and where it reads it from.
package struct ReloadRequests: Sendable {
    /// Takes the requests that came since the last call; whether there was one.
    package let take: @Sendable () -> Bool
    /// Reads the configuration as it is now, and what is wrong with it.
    package let read: @Sendable () -> LoadedConfiguration

    /// Requests from their parts.
    package init(
        take: @escaping @Sendable () -> Bool,
        read: @escaping @Sendable () -> LoadedConfiguration
    ) {
        self.take = take
        self.read = read
    }
}
