import Basics

extension FileSystem {
    /// A file of at most a page; of a longer one the first page and a byte.
    ///
    /// Nil when there is none.
    func readSmall(_ path: String) throws(FileError) -> [UInt8]? {
        let handle: OpenFile
        do {
            handle = try open(path, .read)
        } catch {
            if error.isMissing { return nil }
            throw error
        }
        var bytes = [UInt8](repeating: 0, count: 4097)
        var count = 0
        var failure: FileError?
        bytes.withUnsafeMutableBytes { buffer in
            do throws(FileError) {
                count = try read(handle, into: buffer, at: 0)
            } catch {
                failure = error
            }
        }
        if let failure {
            try close(handle)
            throw failure
        }
        try close(handle)
        bytes.removeSubrange(count...)
        return bytes
    }

    /// Opens, does, closes, also after an error.
    func withFile(
        _ path: String,
        _ mode: FileOpenMode,
        _ body: (OpenFile) throws(StoreError) -> Void
    ) throws(StoreError) {
        let handle: OpenFile
        do {
            handle = try open(path, mode)
        } catch {
            throw .io(error)
        }
        var failure: StoreError?
        do throws(StoreError) {
            try body(handle)
        } catch {
            failure = error
        }
        do {
            try close(handle)
        } catch {
            throw failure ?? .io(error)
        }
        if let failure { throw failure }
    }

    /// Closes what is open and returns the first error.
    func closeAll(_ handles: [OpenFile?]) -> FileError? {
        var first: FileError?
        for case let handle? in handles {
            do throws(FileError) {
                try close(handle)
            } catch {
                first = first ?? error
            }
        }
        return first
    }

    /// Writes the bytes at the start of the file and syncs it.
    func writeWhole(_ handle: OpenFile, _ bytes: [UInt8]) throws(StoreError) {
        do throws(FileError) {
            try bytes.withByteView { view throws(FileError) in try write(handle, view, at: 0) }
        } catch {
            throw .io(error)
        }
        try synchronizeBytes(handle)
    }

    /// Syncs a file; an error says that it must not be tried again.
    func synchronizeBytes(_ handle: OpenFile) throws(StoreError) {
        do {
            try synchronizeData(handle)
        } catch {
            throw .syncFailed(error)
        }
    }

    /// Syncs a directory; an error says that it must not be tried again.
    func synchronizeNames(_ path: String) throws(StoreError) {
        do {
            try synchronizeDirectory(path)
        } catch {
            throw .syncFailed(error)
        }
    }

    /// Writes `NAME.tmp`, syncs and renames it: after a crash the file is the old or the new one, once the
    /// caller has synced the directory the new one.
    func replace(_ path: String, _ bytes: [UInt8]) throws(StoreError) {
        let temporary = path + ".tmp"
        try withFile(temporary, .createOrUpdate) { handle throws(StoreError) in
            do throws(FileError) {
                try truncate(handle, to: 0)
            } catch {
                throw .io(error)
            }
            try writeWhole(handle, bytes)
        }
        do {
            try rename(temporary, to: path)
        } catch {
            throw .io(error)
        }
    }

    /// Makes a directory if it is not there, and its name durable in either case.
    func makeDirectoryDurably(_ path: String) throws(StoreError) {
        do {
            if try status(path) == nil { try makeDirectory(path) }
        } catch {
            throw .io(error)
        }
        try synchronizeNames(parentDirectory(of: path))
    }
}

/// The directory that holds the last component of `path`.
func parentDirectory(of path: String) -> String {
    var end = path[...]
    while end.count > 1, end.last == "/" { end.removeLast() }
    guard let slash = end.lastIndex(of: "/") else { return "." }
    return slash == end.startIndex ? "/" : String(end[..<slash])
}
