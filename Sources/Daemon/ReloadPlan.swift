/// How far a run of the daemon came.
struct RunProgress: Equatable {
    /// Every partition was told where to begin.
    var isStarted = false
    /// It was ready once: nothing that the configuration asks for is missing any more.
    var isReady = false
}

/// How the last reading of the configuration ended.
enum ReloadOutcome: Equatable {
    case none, done, failed
}

/// Which configuration the daemon runs with, and which one it goes back to.
///
/// A configuration that was read again is checked as far as that is possible while the old one runs. What shows only
/// afterwards, until the daemon was ready with it once, brings the old one back.
struct ReloadPlan {
    private(set) var current: LoadedConfiguration
    private var previous: LoadedConfiguration?
    private(set) var outcome = ReloadOutcome.none

    init(_ configuration: LoadedConfiguration) {
        current = configuration
    }

    /// Goes on with another configuration.
    mutating func go(on next: LoadedConfiguration) {
        previous = current
        current = next
        outcome = .done
    }

    /// Goes back to the configuration before, if the run that failed was the first with this one and never ready.
    ///
    /// - Returns: What to say; nil where there is nothing to go back to.
    mutating func goBack(after error: DaemonError, _ progress: RunProgress) -> String? {
        guard let previous, !progress.isReady else { return nil }
        current = previous
        self.previous = nil
        outcome = .failed
        return "the configuration that was read again cannot be used, so the one before runs on: "
            + error.text
    }
}
