/// What a person can ask of a sync.
package enum SyncCommand: String, CaseIterable, Sendable {
    /// Begin a run now; for a realtime sync: send everyone again, at the pace of a re-assert.
    case run
    /// Send nothing until `resume`.
    case pause
    /// Go on, whatever the reason of the pause was; who was skipped is tried again.
    case resume
    /// Let the change pass that waits because many would leave.
    case approve
}

/// What became of a command.
package enum SyncCommandResult: Sendable, Equatable {
    /// It is durable with the next commit.
    case done
    /// There is nothing to do; the text says why.
    case refused(String)
    /// There is no such sync.
    case unknownSync
}
