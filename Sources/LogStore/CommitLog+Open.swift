import Basics

extension CommitLog {
    /// Opens the log in `directory`, hands over everything that was committed, and makes it ready for more.
    ///
    /// Nothing is changed before everything was read and found whole; every later step may be interrupted and
    /// is repeated by the next call. The caller holds the lock of the data directory.
    /// - Parameters:
    ///   - files: What the files are reached through.
    ///   - path: The log's directory; its parent must exist.
    ///   - identity: Which log it must be.
    ///   - createIfMissing: Whether to make the log, and its directory, when there is none.
    ///   - visit: Gets the records group by group, each group's cut after its records. What it refuses counts as
    ///     damage.
    /// - Returns: The log, ready for the next group; `recovery.cut` says what its last one contains.
    /// - Throws: `damaged`, `unsupported`, `missing`, `io`, `syncFailed`.
    /// - Complexity: O(bytes) in two passes, memory for the largest record.
    package static func open(
        _ files: Files,
        directory path: String,
        identity: LogIdentity,
        createIfMissing: Bool,
        visit: (LogEntry) throws(RecordRefused) -> Void
    ) throws(StoreError) -> CommitLog {
        let directory = LogDirectory(files: files, path: path, identity: identity)
        let names = try directory.names()
        guard let names, !directory.isUnborn(names) else {
            if let names { try directory.checkNothingIsLost(names) }
            guard createIfMissing else { throw .missing(path: path) }
            try directory.create()
            return try open(directory, isNew: true, visit)
        }
        return try open(directory, isNew: false, visit)
    }

    private static func open(
        _ directory: LogDirectory<Files>,
        isNew: Bool,
        _ visit: (LogEntry) throws(RecordRefused) -> Void
    ) throws(StoreError) -> CommitLog {
        let names = try directory.names() ?? []
        let chosen = try directory.chooseGeneration(names)
        let manifest = chosen.manifest
        let syncedLength = try directory.syncedLength(of: manifest)
        let name = LogDirectory<Files>.wal(manifest.wal)
        let files = directory.files
        let handle = try directory.openReferenced(name)
        do throws(StoreError) {
            let fileSize: Int64
            do {
                fileSize = try files.size(handle)
            } catch {
                throw .io(error)
            }
            let header = try directory.header(
                of: name,
                handle,
                fileSize: fileSize,
                number: manifest.wal
            )
            var scanner = LogScanner(
                FileWindow(files, handle, fileSize: fileSize),
                header: header,
                path: directory.path(of: name)
            )
            let scan = try scanner.scan(base: manifest)
            try directory.refuseDamage(
                scan,
                &scanner,
                name: name,
                manifest: manifest,
                syncedLength: syncedLength
            )

            var replayer = LogReplayer(
                FileWindow(files, handle, fileSize: fileSize),
                salt: header.salt,
                path: directory.path(of: name)
            )
            try replayer.replay(to: scan.end, visit)
            var recovery = LogRecovery(
                isNew: isNew,
                cut: replayer.cut,
                groups: replayer.groups,
                records: replayer.records,
                bytes: scan.end
            )
            let mark = try directory.settle(
                chosen,
                names: names,
                wal: handle,
                end: scan.end,
                fileSize: fileSize,
                &recovery
            )
            return CommitLog(
                directory: directory,
                recovery: recovery,
                writer: LogWriter(
                    handle,
                    salt: header.salt,
                    end: scan.end,
                    group: scan.group,
                    chain: scan.chain,
                    payloadBytes: replayer.payloadBytes
                ),
                mark: mark,
                number: manifest.number,
                nextNumber: try directory.highestNumber(names, manifest.number) + 1,
                rootSlot: chosen.slot
            )
        } catch {
            _ = files.closeAll([handle])
            throw error
        }
    }
}
