/// Which configuration the daemon runs with, and which one it goes back to.
///
/// A configuration that was read again is checked as far as that is possible while the old one runs. What shows only
/// afterwards, until the daemon was ready with it once, brings the old one back.
struct ReloadPlan {
    private(set) var current: LoadedConfiguration
    private var previous: LoadedConfiguration?
    /// Whether the configuration that was read last is not the one that runs.
    private(set) var wentBack = false

    init(_ configuration: LoadedConfiguration) {
        current = configuration
    }

    /// Goes on with another configuration.
    mutating func go(on next: LoadedConfiguration) {
        previous = current
        current = next
        wentBack = false
    }

    /// Goes back to the configuration before, if the run that failed was the first with this one and never ready.
    ///
    /// - Returns: What to say; nil where there is nothing to go back to.
    mutating func goBack(after error: DaemonError, wasReady: Bool) -> String? {
        // That the group or the folder is another's has nothing to do with what was read.
        guard let previous, !wasReady, error.status != DaemonError.Status.locked else { return nil }
        current = previous
        self.previous = nil
        wentBack = true
        return "the configuration that was read again cannot be used, so the one before runs on: "
            + error.text
    }
}
