/// Files as the store sees them: positioned reads and writes, and every step of durability on its own.
///
/// A generic parameter, never an existential: the real one (`DiskFileSystem` of LogStore) is specialised, the
/// simulated one (`SimulatedDisk` of TestKit) loses, tears and reorders whatever was not synced. Calls block;
/// an interrupted call is continued and a short write completed by the implementation. Paths use `/`, and
/// the last component is never followed when it is a symbolic link.
///
/// What is durable when: bytes of a file after ``synchronizeData(_:)``; a created, renamed or removed name after
/// ``synchronizeDirectory(_:)`` of its directory. Neither implies the other.
public protocol FileSystem {
    /// Opens a file.
    func open(_ path: String, _ mode: FileOpenMode) throws(FileError) -> OpenFile

    /// Closes a file; the handle is invalid afterwards, also after an error.
    func close(_ handle: OpenFile) throws(FileError)

    /// Fills `buffer` from `offset` on and says how many bytes there were: fewer only at the end of the file.
    func read(
        _ handle: OpenFile,
        into buffer: UnsafeMutableRawBufferPointer,
        at offset: Int64
    ) throws(FileError) -> Int

    /// Writes all the bytes at `offset`; after an error any part of them may be there.
    func write(_ handle: OpenFile, _ bytes: ByteView, at offset: Int64) throws(FileError)

    /// The length of the file in bytes.
    func size(_ handle: OpenFile) throws(FileError) -> Int64

    /// Cuts or extends the file to `size` bytes.
    func truncate(_ handle: OpenFile, to size: Int64) throws(FileError)

    /// Makes the file's bytes and length durable. An error must never be answered with a second try: the
    /// kernel may have dropped what it could not write.
    func synchronizeData(_ handle: OpenFile) throws(FileError)

    /// Makes names created in, renamed in or removed from the directory durable.
    func synchronizeDirectory(_ path: String) throws(FileError)

    /// Gives a file or directory another name, replacing a file that has it.
    func rename(_ path: String, to target: String) throws(FileError)

    /// Removes a file's name.
    func unlink(_ path: String) throws(FileError)

    /// The names in a directory, without `.` and `..`, by their bytes.
    func list(_ directory: String) throws(FileError) -> [String]

    /// Makes a directory, mode 0700. An existing one is `EEXIST`.
    func makeDirectory(_ path: String) throws(FileError)

    /// What is under the path, nil when nothing is.
    func status(_ path: String) throws(FileError) -> FileStatus?

    /// Takes the file's exclusive lock without waiting; false when somebody else holds it. Closing releases it.
    func lock(_ handle: OpenFile) throws(FileError) -> Bool

    /// The user the process acts as.
    var userID: UInt32 { get }
}

/// How a file is opened.
///
/// Files are created with mode 0600.
public enum FileOpenMode: Sendable {
    /// An existing file, to read.
    case read
    /// An existing file, to read and write.
    case update
    /// A file that must not exist yet.
    case create
    /// The file, made empty when it does not exist.
    case createOrUpdate
}

/// An open file; whoever opened it closes it once.
public struct OpenFile: Sendable {
    /// The descriptor.
    public let number: Int32
    /// What was opened, for messages.
    public let path: String

    /// A handle as an implementation gives it out.
    public init(number: Int32, path: String) {
        self.number = number
        self.path = path
    }
}

/// What is known of a path.
public struct FileStatus: Sendable, Equatable {
    /// What kind of thing it is.
    public enum Kind: Sendable, Equatable {
        /// An ordinary file.
        case file
        /// A directory.
        case directory
        /// A symbolic link, a device, a socket.
        case other
    }

    /// Its kind.
    public let kind: Kind
    /// The length in bytes of a file.
    public let size: Int64
    /// The user who owns it.
    public let owner: UInt32
    /// The permission bits, 0o7777 at most.
    public let permissions: UInt32

    /// A status with all its parts.
    public init(kind: Kind, size: Int64, owner: UInt32, permissions: UInt32) {
        self.kind = kind
        self.size = size
        self.owner = owner
        self.permissions = permissions
    }
}
