package import Basics

/// The one directory a daemon keeps its state in: locked for as long as this value lives.
///
/// It owns `LOCK`, `FORMAT` and the small text files; what is in the other directories belongs to the logs there.
package struct DataDirectory<Files: FileSystem>: ~Copyable {
    /// The directory, without a slash at its end.
    package let path: String
    /// Its id, part of the identity of every log in it.
    package let store: StoreID
    /// Whether it was made now.
    package let isNew: Bool
    /// What its files are reached through.
    package let files: Files

    private let lock: OpenFile
    private var isClosed = false

    private init(path: String, store: StoreID, isNew: Bool, files: Files, lock: OpenFile) {
        self.path = path
        self.store = store
        self.isNew = isNew
        self.files = files
        self.lock = lock
    }

    deinit {
        // Nothing depends on the result: the lock ends with the process at the latest.
        if !isClosed { _ = files.closeAll([lock]) }
    }

    /// Locks the directory, checks it, and makes it when there is none.
    /// - Parameters:
    ///   - files: What its files are reached through.
    ///   - given: Its path; the parent must exist.
    ///   - processID: Written into `LOCK`, for whoever finds it locked.
    ///   - newStore: The id that a new directory gets.
    /// - Returns: The directory, locked until it is closed or dropped.
    /// - Throws: `unusable` (owner, permissions, foreign content), `locked`, `unsupported`, `damaged`, `io`,
    ///   `syncFailed`.
    package static func open(
        _ files: Files,
        path given: String,
        processID: Int32,
        newStore: StoreID
    ) throws(StoreError) -> DataDirectory {
        var path = given
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        try prepare(path, files)
        let lock = try takeLock(path, files, processID)
        do throws(StoreError) {
            let format = try readFormat(path, files)
            if format == nil {
                try files.replace(
                    "\(path)/\(FormatFile.name)",
                    Array(FormatFile(store: newStore).text.utf8)
                )
                // Without it, the next start would give the logs in the directory another identity.
                try files.synchronizeNames(path)
            }
            return DataDirectory(
                path: path,
                store: format?.store ?? newStore,
                isNew: format == nil,
                files: files,
                lock: lock
            )
        } catch {
            _ = files.closeAll([lock])
            throw error
        }
    }

    /// Makes a directory inside, if it is not there, durably, and returns its path.
    package func makeDirectory(_ name: String) throws(StoreError) -> String {
        let inner = "\(path)/\(name)"
        try files.makeDirectoryDurably(inner)
        return inner
    }

    /// The small files in it.
    package var smallFiles: SmallFiles<Files> { SmallFiles(path: path, files: files) }

    /// The text kept under `instance-id`; made of `fresh` and kept when there is none.
    package func instanceID(orElse fresh: String) throws(StoreError) -> String {
        let name = "instance-id"
        guard let bytes = try smallFiles.read(name) else {
            try smallFiles.writeAtomically(name, Array((fresh + "\n").utf8))
            return fresh
        }
        guard let text = String(validating: bytes, as: UTF8.self), text.hasSuffix("\n"),
            text.utf8.count > 1, text.utf8.dropLast().allSatisfy({ $0 > 0x20 && $0 < 0x7f })
        else {
            throw .damaged(
                StoreDamage(
                    file: "\(path)/\(name)",
                    offset: 0,
                    what: "it is not one line of text",
                    remedy: "remove it: another one is made at the next start"
                )
            )
        }
        return String(text.dropLast())
    }

    /// Gives the lock back.
    package consuming func close() throws(StoreError) {
        isClosed = true
        if let error = files.closeAll([lock]) { throw .io(error) }
    }

    private static func prepare(_ path: String, _ files: Files) throws(StoreError) {
        let status: FileStatus
        do {
            if try files.status(path) == nil {
                try files.makeDirectory(path)
                try files.synchronizeDirectory(parentDirectory(of: path))
            }
            guard let found = try files.status(path) else {
                throw FileError(operation: .status, path: path, code: 2)
            }
            status = found
        } catch {
            throw .unusable(
                path: path,
                what: "\(error)",
                remedy: "make it, owned by the daemon's user, mode 0700"
            )
        }
        guard status.kind == .directory else {
            throw .unusable(
                path: path,
                what: "it is not a directory",
                remedy: "set data_dir to a directory"
            )
        }
        guard status.owner == files.userID else {
            throw .unusable(
                path: path,
                what: "it belongs to user \(status.owner), not to \(files.userID)",
                remedy: "run as its owner, or chown it"
            )
        }
        guard status.permissions & 0o022 == 0 else {
            throw .unusable(
                path: path,
                what: "group or others may write to it",
                remedy: "chmod 0700 \(path)"
            )
        }
    }

    private static func takeLock(
        _ path: String,
        _ files: Files,
        _ processID: Int32
    ) throws(StoreError) -> OpenFile {
        let name = "\(path)/LOCK"
        let handle: OpenFile
        let isOurs: Bool
        do {
            handle = try files.open(name, .createOrUpdate)
            isOurs = try files.lock(handle)
        } catch {
            throw .unusable(
                path: path,
                what: "\(error)",
                remedy: "check the owner and permissions of its files"
            )
        }
        guard isOurs else {
            var holder: Int32?
            do {
                let text = String(decoding: try files.readSmall(name) ?? [], as: UTF8.self)
                holder = Int32(text.filter { $0 != "\n" })
                try files.close(handle)
            } catch {
                throw .locked(path: path, processID: holder)
            }
            throw .locked(path: path, processID: holder)
        }
        do throws(FileError) {
            try files.truncate(handle, to: 0)
            try "\(processID)\n".withByteView { view throws(FileError) in
                try files.write(handle, view, at: 0)
            }
        } catch {
            _ = files.closeAll([handle])
            throw .io(error)
        }
        return handle
    }

    private static func readFormat(_ path: String, _ files: Files) throws(StoreError) -> FormatFile?
    {
        let name = "\(path)/\(FormatFile.name)"
        let bytes: [UInt8]?
        let names: [String]
        do {
            bytes = try files.readSmall(name)
            names = try files.list(path)
        } catch {
            throw .io(error)
        }
        guard let bytes else {
            let others = names.filter { !["LOCK", "FORMAT.tmp", "lost+found"].contains($0) }
            guard let other = others.first else { return nil }
            throw .unusable(
                path: path,
                what: "it has no \(FormatFile.name) but holds \(other)",
                remedy:
                    "restore \(FormatFile.name) from a backup, or set data_dir to an empty directory"
            )
        }
        do {
            return try FormatFile.parse(bytes)
        } catch {
            switch error {
            case .unreadable(let what):
                throw .damaged(StoreDamage(file: name, offset: 0, what: what))
            case .unsupported(let what):
                throw .unsupported(path: name, what: what)
            }
        }
    }
}

extension DataDirectory: Sendable where Files: Sendable {}
