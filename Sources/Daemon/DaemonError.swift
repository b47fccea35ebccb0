import LogStore

/// Why the daemon cannot start or go on, with the status it exits with.
package struct DaemonError: Error, Sendable {
    /// The status of docs/operations.md, "Exit codes".
    package let status: Int32
    /// What happened, where, and what to do.
    package let text: String

    /// An error from its parts.
    package init(status: Int32, _ text: String) {
        self.status = status
        self.text = text
    }

    init(_ error: StoreError) {
        self.init(status: error.exitCode, error.description)
    }

    /// The statuses, after sysexits.h.
    package enum Status {
        package static let usage: Int32 = 64
        package static let damagedData: Int32 = 65
        package static let software: Int32 = 70
        package static let dataDirectory: Int32 = 73
        package static let inputOutput: Int32 = 74
        package static let locked: Int32 = 75
        package static let configuration: Int32 = 78
    }
}
