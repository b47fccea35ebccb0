import Basics

/// Carries out what recovery decided. Every step may be interrupted: the next start decides the same again.
extension LogDirectory {
    /// Makes the files of a new log; it exists with the last rename.
    func create() throws(StoreError) {
        try files.makeDirectoryDurably(path)
        let wal = FileHeader(kind: .wal, identity: identity, number: 1, firstGroup: 1).encoded
        let manifest = Manifest(
            number: 1,
            wal: 1,
            baseLength: UInt64(wal.count),
            baseGroup: 0,
            baseChain: wal.withByteView { Hashing.hash64($0) },
            released: 0
        ).encoded(identity)
        try replace(Self.wal(1), wal)
        try replace(Self.manifest(1), manifest)
        try replace(
            Self.mark,
            SyncedMark(wal: 1, group: 0, length: UInt64(wal.count)).encoded(identity)
        )
        try replace(Self.roots[1], Root.none.encoded(identity))
        // Without it, ROOT-A could be found without what it stands for.
        try synchronize()
        try replace(Self.roots[0], Root.naming(1, manifest: manifest).encoded(identity))
        try synchronize()
    }

    /// Makes durable what was found, keeps and cuts a torn tail, and puts the other files in order.
    /// - Returns: The synced mark, open.
    func settle(
        _ chosen: ChosenGeneration,
        names: [String],
        wal: OpenFile,
        end: Int64,
        fileSize: Int64,
        _ recovery: inout LogRecovery
    ) throws(StoreError) -> OpenFile {
        if fileSize > end {
            recovery.tail = try keepTail(wal, chosen.manifest.wal, from: end, to: fileSize)
            recovery.tailBytes = fileSize - end
            do {
                try files.truncate(wal, to: end)
            } catch {
                throw .io(error)
            }
        }
        // A killed process may have left its last group, and its last root, in memory only; both are about
        // to be relied on.
        try files.synchronizeBytes(wal)
        if let repair = chosen.repair {
            try replace(Self.roots[repair.slot], repair.bytes)
            recovery.repairedRoot = true
        } else {
            try files.withFile(path(of: Self.roots[chosen.slot]), .update) {
                handle throws(StoreError) in
                try files.synchronizeBytes(handle)
            }
        }
        try synchronize()
        try clearAway(chosen.manifest, names, &recovery)
        do {
            return try files.open(path(of: Self.mark), .createOrUpdate)
        } catch {
            throw .io(error)
        }
    }

    /// Deletes what the manifest released and moves away what nothing refers to.
    private func clearAway(
        _ manifest: Manifest,
        _ names: [String],
        _ recovery: inout LogRecovery
    ) throws(StoreError) {
        let known =
            Self.roots + [
                Self.mark, Self.quarantine, Self.orphans, Self.manifest(manifest.number),
                Self.wal(manifest.wal),
            ]
        var released: [String] = []
        if manifest.released > 0 {
            released = [Self.wal(manifest.released), Self.manifest(manifest.released)]
        }
        let others = names.filter { !known.contains($0) }
        for name in others {
            if released.contains(name) {
                do {
                    try files.unlink(path(of: name))
                } catch {
                    throw .io(error)
                }
            } else {
                recovery.orphans.append(try moveToOrphans(name))
            }
        }
        if !recovery.orphans.isEmpty { try files.synchronizeNames(path(of: Self.orphans)) }
        if !others.isEmpty { try synchronize() }
    }

    /// Copies the bytes behind the last commit to `quarantine`, durably.
    private func keepTail(
        _ wal: OpenFile,
        _ number: UInt64,
        from start: Int64,
        to end: Int64
    ) throws(StoreError) -> String {
        try makeDirectory(Self.quarantine)
        var window = FileWindow(files, wal, fileSize: end)
        var checksum: UInt32 = 0
        var offset = start
        while offset < end {
            let count = Int(min(end - offset, 1 << 20))
            guard let bytes = try window.bytes(at: offset, count: count) else {
                throw damaged(Self.wal(number), at: offset, "it became shorter while it was read")
            }
            checksum = CRC32C.checksum(bytes, continuing: checksum)
            offset += Int64(count)
        }
        let folder = path(of: Self.quarantine)
        let target =
            "\(folder)/tail-\(number)-\(start)-\(Hexadecimal.text(UInt64(checksum), digits: 8))"
        var again = FileWindow(files, wal, fileSize: end)
        try files.withFile(target, .createOrUpdate) { handle throws(StoreError) in
            var offset = start
            while offset < end {
                let count = Int(min(end - offset, 1 << 20))
                guard let bytes = try again.bytes(at: offset, count: count) else {
                    throw damaged(
                        Self.wal(number),
                        at: offset,
                        "it became shorter while it was read"
                    )
                }
                do throws(FileError) {
                    try files.write(handle, bytes, at: offset - start)
                } catch {
                    throw .io(error)
                }
                offset += Int64(count)
            }
            try files.synchronizeBytes(handle)
        }
        // Without it, the only copy of the tail could lose its name after the original was cut.
        try files.synchronizeNames(folder)
        return target
    }
}
