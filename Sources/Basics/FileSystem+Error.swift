#if canImport(Glibc)
import Glibc
#endif

/// A file operation that failed: which one, on what, and the system's reason.
public struct FileError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The operations of ``FileSystem``.
    public enum Operation: String, Sendable {
        /// Opening or creating a file.
        case open
        /// Closing it.
        case close
        /// Reading from it.
        case read
        /// Writing to it.
        case write
        /// Asking for its size or status.
        case status
        /// Changing its length.
        case truncate
        /// Making its bytes durable.
        case synchronize
        /// Making names durable.
        case synchronizeDirectory = "synchronize directory"
        /// Renaming.
        case rename
        /// Removing a name.
        case unlink
        /// Listing a directory.
        case list
        /// Making a directory.
        case makeDirectory = "make directory"
        /// Locking.
        case lock
    }

    /// What was tried.
    public let operation: Operation
    /// On which file or directory.
    public let path: String
    /// The system's error number.
    public let code: Int32

    /// An error as an implementation reports it.
    public init(operation: Operation, path: String, code: Int32) {
        self.operation = operation
        self.path = path
        self.code = code
    }

    /// Whether the same call may succeed later, once there is space again.
    public var isOutOfSpace: Bool { code == ENOSPC || code == EDQUOT }

    /// Whether the process, or the machine, has as many files open as it may.
    public var isOutOfFiles: Bool { code == EMFILE || code == ENFILE }

    /// Whether there was no such file or directory.
    public var isMissing: Bool { code == ENOENT }

    /// What happened, in words.
    public var description: String {
        "cannot \(operation.rawValue) \(path): \(SystemError.text(code)) (error \(code))"
    }
}
