package import Basics

/// Why the store cannot go on: what happened, where, and what to do about it.
package enum StoreError: Error, Equatable, Sendable {
    /// Bytes on disk are not what was written there. Nothing was changed.
    case damaged(StoreDamage)
    /// Something written by a version that knows more than this one.
    case unsupported(path: String, what: String)
    /// The data directory cannot be used as it is.
    case unusable(path: String, what: String, remedy: String)
    /// Another process uses the data directory; its id, when it could be read.
    case locked(path: String, processID: Int32?)
    /// There is no log in the directory, and none was to be made.
    case missing(path: String)
    /// A file operation failed; what was committed before still is.
    case io(FileError)
    /// Bytes could not be made durable. The outcome is unknown and the process must end: the last durable
    /// state is what the next start finds.
    case syncFailed(FileError)
}

/// Where a file does not hold what was written, and what an operator does.
package struct StoreDamage: Equatable, Sendable {
    /// The file.
    package let file: String
    /// The first byte that cannot be vouched for.
    package let offset: Int64
    /// What is wrong with it.
    package let what: String
    /// What to do.
    package let remedy: String

    /// A damage with the usual remedy.
    package init(file: String, offset: Int64, what: String, remedy: String = StoreDamage.remedy) {
        self.file = file
        self.offset = offset
        self.what = what
        self.remedy = remedy
    }

    /// What helps against most damage: other copies of the same state.
    package static let remedy =
        "restore this directory from a backup, or move it away while the daemon is stopped: "
        + "the state is then rebuilt from Kafka"
}

extension StoreError: CustomStringConvertible {
    /// The error as the operator reads it.
    package var description: String {
        switch self {
        case .damaged(let damage):
            "\(damage.file) is damaged at byte \(damage.offset): \(damage.what); \(damage.remedy)"
        case .unsupported(let path, let what):
            "\(path) needs a newer version: \(what); run the version that wrote it"
        case .unusable(let path, let what, let remedy):
            "\(path) cannot be used: \(what); \(remedy)"
        case .locked(let path, let processID):
            "\(path) is in use by \(processID.map { "process \($0)" } ?? "another process"); "
                + "stop it first or choose another data_dir"
        case .missing(let path):
            "there is no log in \(path); check the path"
        case .io(let error):
            if error.isOutOfSpace {
                "\(error); free space on the file system"
            } else if error.isOutOfFiles {
                "\(error); raise LimitNOFILE of the unit, or ulimit -n"
            } else {
                "\(error); check the disk and its permissions"
            }
        case .syncFailed(let error):
            "\(error); what was written last may be lost: check the disk, then start again"
        }
    }

    /// Whether the same operation may succeed later without a restart.
    package var isRetriable: Bool {
        if case .io(let error) = self { return error.isOutOfSpace }
        return false
    }

    /// The status a program ends with because of this error.
    package var exitCode: Int32 {
        switch self {
        case .damaged: 65
        case .unsupported, .unusable, .missing: 73
        case .io, .syncFailed: 74
        case .locked: 75
        }
    }
}
