package import Basics

extension CommitLog {
    /// Whether a rewrite was begun.
    package var isRewriting: Bool { rewrite != nil }

    /// Begins to write the whole live state into a new file: append all of it, then finish.
    ///
    /// The open group must be empty. Until ``finishRewrite(cut:)`` returns, the old file counts.
    package mutating func beginRewrite() throws(StoreError) {
        if let failure { throw failure }
        precondition(rewrite == nil, "a rewrite was begun already")
        precondition(writer.isEmpty, "a rewrite within an open group")
        let number = nextNumber
        nextNumber += 1
        let header = FileHeader(
            kind: .wal,
            identity: directory.identity,
            number: number,
            firstGroup: writer.committedGroup + 1
        )
        let bytes = header.encoded
        do {
            let handle = try files.open(temporary(number), .create)
            rewriteNumber = number
            rewrite = LogWriter(
                handle,
                salt: header.salt,
                end: Int64(bytes.count),
                group: writer.committedGroup,
                chain: bytes.withByteView { Hashing.hash64($0) },
                payloadBytes: 0
            )
            try bytes.withByteView { view throws(FileError) in try files.write(handle, view, at: 0)
            }
        } catch {
            abandonRewrite()
            throw .io(error)
        }
    }

    /// Gives up a rewrite; the log goes on as it was.
    package mutating func abandonRewrite() {
        guard let unfinished = rewrite else { return }
        rewrite = nil
        // Both may fail without harm: nothing refers to the file, the next start moves it to orphans.
        _ = files.closeAll([unfinished.handle])
        for name in [
            temporary(rewriteNumber), directory.path(of: LogDirectory<Files>.wal(rewriteNumber)),
        ] {
            do throws(FileError) {
                try files.unlink(name)
            } catch {
                leftBehind = error.isMissing ? leftBehind : name
            }
        }
    }

    /// Makes the rewritten state durable, then the log's only one, and releases the old file.
    ///
    /// A crash at any point leaves the old or the new state, which are the same to whoever reads them.
    /// - Throws: `io`: nothing has changed, the rewrite is given up, the log goes on. Anything else: the process
    ///   must end; the next start finds the old or the new file.
    package mutating func finishRewrite(cut: ByteView) throws(StoreError) {
        if let failure { throw failure }
        precondition(rewrite != nil, "no rewrite was begun")
        do {
            try rewrite?.finishGroup(cut: cut, files: directory.files)
        } catch {
            abandonRewrite()
            throw .io(error)
        }
        guard let handle = rewrite?.handle else { return }
        let manifest: Manifest
        do {
            // Without it, the manifest could name a file whose bytes a power loss takes.
            try files.synchronizeBytes(handle)
            rewrite?.groupIsDurable()
            manifest = try publishFile()
        } catch {
            if case .io = error {} else { failure = error }
            abandonRewrite()
            throw error
        }
        guard let fresh = rewrite else { return }
        rewrite = nil
        let old = writer.handle
        let released = number
        writer = fresh
        number = rewriteNumber
        do throws(StoreError) {
            try flipRoot(manifest)
            writeMark()
            try release(released, old)
        } catch {
            // Which of the two generations counts is open now, so nothing may be tried again.
            var final = error
            if case .io(let cause) = error { final = .syncFailed(cause) }
            failure = final
            throw final
        }
    }

    /// Checks the new file by reading it, gives it its name and writes its manifest.
    private mutating func publishFile() throws(StoreError) -> Manifest {
        guard let fresh = rewrite else { preconditionFailure("no rewrite to publish") }
        let manifest = Manifest(
            number: rewriteNumber,
            wal: rewriteNumber,
            baseLength: UInt64(fresh.committedEnd),
            baseGroup: fresh.committedGroup,
            baseChain: fresh.committedChain,
            released: number
        )
        let name = LogDirectory<Files>.wal(rewriteNumber)
        try verify(fresh, manifest)
        do {
            try files.rename(temporary(rewriteNumber), to: directory.path(of: name))
        } catch {
            throw .io(error)
        }
        // Without it, the manifest could be found without the file it names.
        try directory.synchronize()
        let path = directory.path(of: LogDirectory<Files>.manifest(rewriteNumber)) + ".tmp"
        let bytes = manifest.encoded(directory.identity)
        do {
            try files.withFile(path, .create) { handle throws(StoreError) in
                try directory.files.writeWhole(handle, bytes)
            }
        } catch {
            do throws(FileError) {
                try files.unlink(path)
            } catch {
                leftBehind = error.isMissing ? leftBehind : path
            }
            throw error
        }
        return manifest
    }

    /// Makes the manifest visible and the root name it.
    ///
    /// From the first step on there is no way back.
    private mutating func flipRoot(_ manifest: Manifest) throws(StoreError) {
        let path = directory.path(of: LogDirectory<Files>.manifest(manifest.number))
        do {
            try files.rename(path + ".tmp", to: path)
        } catch {
            throw .io(error)
        }
        // Without it, the root could name a manifest that is not there.
        try directory.synchronize()
        let root = Root.naming(manifest.number, manifest: manifest.encoded(directory.identity))
        rootSlot = 1 - rootSlot
        // Without it, the old file could be gone while the old root still counts.
        try directory.overwrite(
            LogDirectory<Files>.roots[rootSlot],
            root.encoded(directory.identity)
        )
    }

    private mutating func release(_ released: UInt64, _ handle: OpenFile) throws(StoreError) {
        do {
            try files.close(handle)
            try files.unlink(directory.path(of: LogDirectory<Files>.wal(released)))
            try files.unlink(directory.path(of: LogDirectory<Files>.manifest(released)))
        } catch {
            throw .io(error)
        }
        try directory.synchronize()
    }

    private func verify(_ fresh: LogWriter, _ manifest: Manifest) throws(StoreError) {
        let header = FileHeader(
            kind: .wal,
            identity: directory.identity,
            number: rewriteNumber,
            firstGroup: fresh.committedGroup
        )
        let path = temporary(rewriteNumber)
        var scanner = LogScanner(
            FileWindow(files, fresh.handle, fileSize: fresh.committedEnd),
            header: header,
            path: path
        )
        let result = try scanner.scan(base: manifest)
        guard result.passedBase, result.stop == nil else {
            throw .damaged(
                StoreDamage(
                    file: path,
                    offset: result.stop?.offset ?? result.end,
                    what: "what was just written reads differently",
                    remedy:
                        "check memory and disk, then start again: the file before it still counts"
                )
            )
        }
    }

    private func temporary(_ number: UInt64) -> String {
        directory.path(of: LogDirectory<Files>.wal(number)) + ".tmp"
    }
}
