import Basics

/// Which generation counts, and which root has to be written again.
struct ChosenGeneration {
    var manifest: Manifest
    /// The root that names it, or will.
    var slot: Int
    /// What an unreadable root is replaced with.
    var repair: (slot: Int, bytes: [UInt8])?
}

/// Decides what the files of a log say. Nothing here changes one.
extension LogDirectory {
    /// One root as it was found.
    private enum Slot {
        case valid(Root)
        case unreadable(String)
    }

    /// The names in the directory, nil when there is none.
    func names() throws(StoreError) -> [String]? {
        do {
            guard try files.status(path) != nil else { return nil }
            return try files.list(path)
        } catch {
            throw .io(error)
        }
    }

    /// Whether the files are those of a creation that was interrupted before `ROOT-A`, its last step.
    func isUnborn(_ names: [String]) -> Bool {
        let early = [Self.wal(1), Self.manifest(1), Self.mark, Self.roots[1]]
        let unfinished = (early + [Self.roots[0]]).map { $0 + ".tmp" }
        return names.allSatisfy { early.contains($0) || unfinished.contains($0) }
    }

    /// Refuses to begin again over files that hold more than a creation leaves.
    func checkNothingIsLost(_ names: [String]) throws(StoreError) {
        let missing = damaged(Self.roots[0], "it is missing, but the log holds more than a new one")
        if names.contains(Self.wal(1)), try size(Self.wal(1)) > Int64(FileHeader.size) {
            throw missing
        }
        if let bytes = try read(Self.mark),
            let mark = try mark(bytes), mark.wal > 1 || mark.length > UInt64(FileHeader.size)
        {
            throw missing
        }
        if let bytes = try read(Self.roots[1]), case .valid(let root) = try slot(bytes),
            root.generation > 0
        {
            throw missing
        }
    }

    func chooseGeneration(_ names: [String]) throws(StoreError) -> ChosenGeneration {
        var slots: [Slot] = []
        for name in Self.roots {
            if let bytes = try read(name) {
                slots.append(try slot(bytes, name))
            } else {
                slots.append(.unreadable("it is missing"))
            }
        }
        switch (slots[0], slots[1]) {
        case (.unreadable(let what), .unreadable(let other)):
            throw damaged(Self.roots[0], "\(what); and \(Self.roots[1]): \(other)")
        case (.valid(let left), .valid(let right)):
            let slot = left.generation >= right.generation ? 0 : 1
            let root = slot == 0 ? left : right
            return ChosenGeneration(manifest: try manifest(of: root, slot), slot: slot, repair: nil)
        case (.valid(let root), .unreadable):
            return try chooseBeside(root, 0, names)
        case (.unreadable, .valid(let root)):
            return try chooseBeside(root, 1, names)
        }
    }

    /// The generation when only one root can be read: a newer manifest was complete before the other root
    /// named it, so it counts.
    private func chooseBeside(
        _ root: Root,
        _ slot: Int,
        _ names: [String]
    ) throws(StoreError) -> ChosenGeneration {
        let newer = Self.numbers(in: names).filter { number in
            number > root.generation && names.contains(Self.manifest(number))
        }
        guard let number = newer.max() else {
            return ChosenGeneration(
                manifest: try manifest(of: root, slot),
                slot: slot,
                repair: (1 - slot, Root.none.encoded(identity))
            )
        }
        let name = Self.manifest(number)
        let bytes = try read(name) ?? []
        do {
            let manifest = try bytes.withByteView { view throws(FileHeader.Problem) in
                try Manifest.decode(view, identity: identity, number: number)
            }
            let repaired = Root.naming(number, manifest: bytes).encoded(identity)
            return ChosenGeneration(
                manifest: manifest,
                slot: 1 - slot,
                repair: (1 - slot, repaired)
            )
        } catch {
            throw refused(name, error)
        }
    }

    private func slot(_ bytes: [UInt8], _ name: String = roots[1]) throws(StoreError) -> Slot {
        do {
            return .valid(
                try bytes.withByteView { view throws(FileHeader.Problem) in
                    try Root.decode(view, identity: identity)
                }
            )
        } catch {
            if case .unreadable(let what) = error { return .unreadable(what) }
            throw refused(name, error)
        }
    }

    private func manifest(of root: Root, _ slot: Int) throws(StoreError) -> Manifest {
        let name = Self.manifest(root.manifest)
        guard root.generation > 0, root.manifest == root.generation else {
            throw damaged(Self.roots[slot], "it names no manifest")
        }
        guard let bytes = try read(name) else {
            throw damaged(name, "it is missing, \(Self.roots[slot]) names it")
        }
        guard UInt64(bytes.count) == root.manifestLength,
            bytes.withByteView({ CRC32C.checksum($0) }) == root.manifestChecksum
        else { throw damaged(name, "it is not the file that \(Self.roots[slot]) names") }
        do {
            return try bytes.withByteView { view throws(FileHeader.Problem) in
                try Manifest.decode(view, identity: identity, number: root.manifest)
            }
        } catch {
            throw refused(name, error)
        }
    }

    private func mark(_ bytes: [UInt8]) throws(StoreError) -> SyncedMark? {
        do {
            return try bytes.withByteView { view throws(FileHeader.Problem) in
                try SyncedMark.decode(view, identity: identity)
            }
        } catch {
            // It is overwritten without a sync, so a power loss may leave anything.
            if case .unreadable = error { return nil }
            throw refused(Self.mark, error)
        }
    }

    /// How much of the manifest's log file was synced at least, as far as is known beside the manifest.
    func syncedLength(of manifest: Manifest) throws(StoreError) -> UInt64 {
        guard let bytes = try read(Self.mark), let mark = try mark(bytes) else { return 0 }
        guard mark.wal <= manifest.wal else {
            throw damaged(
                Self.wal(mark.wal),
                "it was in use, but the roots name generation \(manifest.number)"
            )
        }
        return mark.wal == manifest.wal ? mark.length : 0
    }

    /// Opens a file that the manifest names.
    func openReferenced(_ name: String) throws(StoreError) -> OpenFile {
        do {
            return try files.open(path(of: name), .update)
        } catch {
            if error.isMissing { throw damaged(name, "it is missing, the manifest names it") }
            throw .io(error)
        }
    }

    func header(
        of name: String,
        _ handle: OpenFile,
        fileSize: Int64,
        number: UInt64
    ) throws(StoreError) -> FileHeader {
        var window = FileWindow(files, handle, fileSize: fileSize)
        guard let bytes = try window.bytes(at: 0, count: FileHeader.size) else {
            throw damaged(name, at: fileSize, "the header is cut off")
        }
        do {
            return try FileHeader.decode(bytes, kind: .wal, identity: identity, number: number)
        } catch {
            throw refused(name, error)
        }
    }

    /// Tells a torn tail from damage: throws for the latter.
    func refuseDamage(
        _ scan: ScanResult,
        _ scanner: inout LogScanner<Files>,
        name: String,
        manifest: Manifest,
        syncedLength: UInt64
    ) throws(StoreError) {
        let offset = scan.stop?.offset ?? scan.end
        let why = scan.stop?.why ?? "the file ends there"
        guard scan.passedBase else {
            throw damaged(
                name,
                at: offset,
                "\(why), within the \(manifest.baseLength) bytes that the manifest vouches for"
            )
        }
        guard UInt64(scan.end) >= syncedLength else {
            throw damaged(
                name,
                at: offset,
                "\(why), within the \(syncedLength) bytes that were synced"
            )
        }
        guard let stop = scan.stop,
            let later = try scanner.evidence(after: stop.offset + 1, ofGroup: scan.group + 2)
        else { return }
        throw damaged(
            name,
            at: stop.offset,
            "\(stop.why), but a later group stands at byte \(later)"
        )
    }

    /// The highest number any file has or had, also one that was moved aside.
    func highestNumber(_ names: [String], _ current: UInt64) throws(StoreError) -> UInt64 {
        var all = names
        if names.contains(Self.orphans) {
            do {
                all += try files.list(path(of: Self.orphans))
            } catch {
                throw .io(error)
            }
        }
        return max(current, Self.numbers(in: all).max() ?? 0)
    }

    private func size(_ name: String) throws(StoreError) -> Int64 {
        do {
            return try files.status(path(of: name))?.size ?? 0
        } catch {
            throw .io(error)
        }
    }
}
