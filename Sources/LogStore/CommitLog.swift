package import Basics

/// A durable, checksummed log of typed records in groups; docs/formats.md has its files and their bytes.
///
/// Invariants
/// - A group is there whole or not at all, and once ``commit(cut:)`` has returned it stays.
/// - The log never hands over bytes that are not those that were committed; it fails instead.
/// - Groups are read in the order in which they were committed; there is never one missing between two.
/// - After an error that is not ``StoreError/isRetriable`` of a sync or a rewrite, it refuses everything.
///
/// ```
///   append … append  commit        append … commit                  append …
/// ┌────────────────────────┐┌───────────────────────────┐┌ ─ ─ ─ ─ ─ ─ ─ ─ ─ ┐
/// │ block  block  COMMIT 7 ││ block  part  block COMMIT 8 │  open group, not there
/// └────────────────────────┘└───────────────────────────┘└ ─ ─ ─ ─ ─ ─ ─ ─ ─ ┘
///                                                        ▲ committed end, bytesOnDisk
/// ```
///
/// One thread at a time. All calls block on the disk; ``append(type:payload:)`` only once per mebibyte.
package struct CommitLog<Files: FileSystem>: ~Copyable {
    /// Below this size a log is never worth a rewrite.
    package static var rewriteBytesMin: Int64 { 1 << 20 }

    /// What opening found.
    package let recovery: LogRecovery

    let directory: LogDirectory<Files>
    var writer: LogWriter
    var rewrite: LogWriter?
    var rewriteNumber: UInt64 = 0
    /// The generation: the number of the manifest and the log file in use.
    var number: UInt64
    /// The next number never used.
    var nextNumber: UInt64
    /// Which of the roots names the generation in use.
    var rootSlot: Int
    let mark: OpenFile
    /// After this nothing more is written.
    var failure: StoreError?
    /// A file of a rewrite that was given up and could not be removed; the next start moves it to orphans.
    package internal(set) var leftBehind: String?
    private var isClosed = false

    /// Why the synced mark could not be written, nil when it could.
    ///
    /// Commits stay durable without it; only later damage to the very last group would be taken for
    /// an interrupted commit.
    package private(set) var markFailure: FileError?

    init(
        directory: LogDirectory<Files>,
        recovery: LogRecovery,
        writer: LogWriter,
        mark: OpenFile,
        number: UInt64,
        nextNumber: UInt64,
        rootSlot: Int
    ) {
        self.directory = directory
        self.recovery = recovery
        self.writer = writer
        self.mark = mark
        self.number = number
        self.nextNumber = nextNumber
        self.rootSlot = rootSlot
        writeMark()
    }

    deinit {
        if !isClosed { _ = directory.files.closeAll([writer.handle, mark, rewrite?.handle]) }
    }

    var files: Files { directory.files }

    /// Bytes of the log file up to the last commit, as they are on disk.
    package var bytesOnDisk: Int64 { writer.committedEnd }

    /// Bytes of all committed payloads in the log file, before compression, live or not.
    package var payloadBytes: Int64 { writer.committedPayloadBytes }

    /// How many groups were committed since the log was made.
    package var lastGroup: UInt64 { writer.committedGroup }

    /// Whether less than half of what the log holds is still needed and a rewrite is worth it.
    /// - Parameter liveBytes: Payload bytes of the records that a rewrite would append.
    /// - Returns: Whether to rewrite now.
    package func shouldRewrite(liveBytes: Int64) -> Bool {
        bytesOnDisk >= Self.rewriteBytesMin && liveBytes < payloadBytes / 2
    }

    /// Adds a record to the open group, or to the rewrite that was begun.
    ///
    /// A write that fails shows at the commit. At most 2 GiB.
    /// - Complexity: O(bytes); compressed by blocks of 64 KiB, written by the mebibyte.
    package mutating func append(type: UInt8, payload: ByteView) {
        if rewrite != nil {
            rewrite?.append(type: type, payload: payload, files: directory.files)
        } else {
            writer.append(type: type, payload: payload, files: directory.files)
        }
    }

    /// Makes the open group durable.
    /// - Parameter cut: What the group is a state of, in the caller's own form; at most 256 bytes.
    /// - Throws: `io`: the group is discarded and may be appended again, later if the error is retriable (after
    ///   a crash it may be found whole). `syncFailed`: the outcome is unknown and the process must end.
    package mutating func commit(cut: ByteView) throws(StoreError) {
        precondition(rewrite == nil, "commit during a rewrite")
        if let failure { throw failure }
        do {
            try writer.finishGroup(cut: cut, files: directory.files)
        } catch {
            writer.discardGroup()
            throw .io(error)
        }
        do {
            // Without it, a power loss takes the group that the caller is about to act on.
            try files.synchronizeBytes(writer.handle)
        } catch {
            failure = error
            throw error
        }
        writer.groupIsDurable()
        writeMark()
    }

    /// Forgets what was appended since the last commit.
    package mutating func discard() {
        precondition(rewrite == nil, "discard during a rewrite: abandon it")
        writer.discardGroup()
    }

    /// Closes the log; what was not committed is gone.
    /// - Throws: `syncFailed` when the synced mark could not be made durable. The commits are.
    package consuming func close() throws(StoreError) {
        abandonRewrite()
        isClosed = true
        var problem: StoreError?
        if failure == nil, markFailure == nil {
            do throws(StoreError) {
                // Without it, damage to the last group after a power loss looks like an interrupted commit.
                try files.synchronizeBytes(mark)
            } catch {
                problem = error
            }
        }
        if let error = files.closeAll([writer.handle, mark]) {
            problem = problem ?? .io(error)
        }
        if let problem { throw problem }
    }

    /// Says how far the log is synced; only after the sync returned, so that the mark is always true.
    mutating func writeMark() {
        let bytes = SyncedMark(
            wal: number,
            group: writer.committedGroup,
            length: UInt64(writer.committedEnd)
        ).encoded(directory.identity)
        do {
            try bytes.withByteView { view throws(FileError) in try files.write(mark, view, at: 0) }
            markFailure = nil
        } catch {
            markFailure = error
        }
    }
}

extension CommitLog: Sendable where Files: Sendable {}

/// What opening a log found and did.
package struct LogRecovery: Equatable, Sendable {
    /// Whether the log was made now.
    package var isNew = false
    /// The cut of the last committed group; nil when nothing was ever committed.
    package var cut: [UInt8]?
    /// Groups handed over.
    package var groups: UInt64 = 0
    /// Records handed over.
    package var records: UInt64 = 0
    /// Bytes of the log file that were read.
    package var bytes: Int64 = 0
    /// Where the bytes of an interrupted commit were kept.
    package var tail: String?
    /// How many bytes they are.
    package var tailBytes: Int64 = 0
    /// Files that nothing referred to, where they are now.
    package var orphans: [String] = []
    /// Whether a root was unreadable and was written again.
    package var repairedRoot = false
}
