package import Basics

/// A disk in memory that keeps only what was synced, and fails or stops when told to.
///
/// Every file has its live bytes, which reads see, and its durable ones; every name likewise. A power loss
/// (``afterPowerLoss(seed:)``) leaves the durable state and, by seed, any part of what was not synced: writes
/// in any order, torn at 512 bytes, files extended by zeros or garbage, names created, renamed or removed or
/// not. A killed process (``afterKill()``) loses nothing that was written. One thread at a time.
package final class SimulatedDisk: FileSystem {
    /// What an operation meets.
    package enum Fault: Sendable, Equatable {
        /// It fails with this error number; of a write a part is done.
        case error(Int32)
        /// The process ends in the middle of it: it and everything after it throws.
        case crash
    }

    enum Change {
        case write(offset: Int, bytes: [UInt8])
        case truncate(Int)
    }

    struct Node {
        var live: [UInt8] = []
        var durable: [UInt8] = []
        /// Changes since the last sync, oldest first.
        var pending: [Change] = []
        var isDirectory = false
    }

    struct NameChange {
        var directories: [String]
        var removed: String?
        var added: (path: String, node: Int)?
    }

    var nodes: [Int: Node] = [:]
    var liveNames: [String: Int] = [:]
    var durableNames: [String: Int] = [:]
    var pendingNames: [NameChange] = []
    var nextNode = 1
    private var handles: [Int32: Int] = [:]
    private var locks: [Int: Int32] = [:]
    private var nextHandle: Int32 = 3
    private var generator: SeededGenerator

    /// How many operations were begun so far.
    package private(set) var operations = 0
    /// How many of them changed bytes or names.
    package private(set) var changes = 0
    /// What the operation of a number, from 0, meets.
    package var faults: [Int: Fault] = [:]
    /// What every operation from a number on meets.
    package var stickyFault: (from: Int, fault: Fault)?
    /// Only these operations can meet a fault; nil = all.
    package var faultyOperations: Set<FileError.Operation>?
    /// Whether a crash was met; every operation throws since then.
    package private(set) var hasCrashed = false
    /// How many bytes all files may have together; nil = no bound.
    package var capacity: Int?
    /// The user the process acts as.
    package var userID: UInt32 = 1000
    /// Owner and permissions of a path where they differ from the usual.
    package var ownership: [String: (owner: UInt32, permissions: UInt32)] = [:]

    /// An empty disk with the directory `/`; the seed decides how much of a failing write is done.
    package init(seed: UInt64 = 1) {
        generator = SeededGenerator(seed: seed)
        nodes[0] = Node(isDirectory: true)
        liveNames["/"] = 0
        durableNames["/"] = 0
    }

    /// The same bytes and names, nothing open, no faults.
    package func afterKill() -> SimulatedDisk {
        let copy = SimulatedDisk(seed: generator.next())
        copy.nodes = nodes
        copy.liveNames = liveNames
        copy.durableNames = durableNames
        copy.pendingNames = pendingNames
        copy.nextNode = nextNode
        copy.userID = userID
        copy.ownership = ownership
        return copy
    }

    /// The bytes of a file, nil when there is none.
    package func contents(_ path: String) -> [UInt8]? {
        liveNames[path].flatMap { nodes[$0] }.flatMap { $0.isDirectory ? nil : $0.live }
    }

    /// Puts a file there, durably, as damage or a person does.
    package func place(_ path: String, _ bytes: [UInt8]) {
        let node = nextNode
        nextNode += 1
        nodes[node] = Node(live: bytes, durable: bytes)
        liveNames[path] = node
        durableNames[path] = node
    }

    /// Takes a file away, durably.
    package func remove(_ path: String) {
        liveNames[path] = nil
        durableNames[path] = nil
    }

    /// The paths of all files.
    package var paths: [String] {
        liveNames.filter { nodes[$0.value]?.isDirectory == false }.keys.sorted()
    }

    // MARK: - FileSystem

    /// Opens or creates a file.
    package func open(_ path: String, _ mode: FileOpenMode) throws(FileError) -> OpenFile {
        try begin(.open, path)
        let node: Int
        if let found = liveNames[path] {
            if mode == .create { throw FileError(operation: .open, path: path, code: Code.exists) }
            node = found
        } else {
            guard mode == .create || mode == .createOrUpdate, isDirectory(parent(path)) else {
                throw FileError(operation: .open, path: path, code: Code.missing)
            }
            node = nextNode
            nextNode += 1
            nodes[node] = Node()
            change(NameChange(directories: [parent(path)], removed: nil, added: (path, node)))
        }
        defer { nextHandle += 1 }
        handles[nextHandle] = node
        return OpenFile(number: nextHandle, path: path)
    }

    /// Closes it and releases its lock.
    package func close(_ handle: OpenFile) throws(FileError) {
        guard let node = handles.removeValue(forKey: handle.number) else {
            throw FileError(operation: .close, path: handle.path, code: Code.badHandle)
        }
        if locks[node] == handle.number { locks[node] = nil }
        try begin(.close, handle.path)
    }

    /// Reads live bytes.
    package func read(
        _ handle: OpenFile,
        into buffer: UnsafeMutableRawBufferPointer,
        at offset: Int64
    ) throws(FileError) -> Int {
        try begin(.read, handle.path)
        let live = nodes[try node(handle, .read)]?.live ?? []
        guard Int(offset) < live.count else { return 0 }
        let count = min(buffer.count, live.count - Int(offset))
        live.withUnsafeBytes { bytes in
            buffer.copyMemory(
                from: UnsafeRawBufferPointer(rebasing: bytes[Int(offset)...].prefix(count))
            )
        }
        return count
    }

    /// Writes live bytes; after a fault a part of them.
    package func write(_ handle: OpenFile, _ bytes: ByteView, at offset: Int64) throws(FileError) {
        let node = try node(handle, .write)
        let wasOver = hasCrashed
        var fault: FileError?
        do throws(FileError) {
            try begin(.write, handle.path)
        } catch {
            if wasOver { throw error }
            fault = error
        }
        var count = fault == nil ? bytes.count : generator.below(bytes.count + 1)
        if let capacity {
            let length = nodes[node]?.live.count ?? 0
            let room = max(0, capacity - used + max(0, length - Int(offset)))
            if count > room {
                count = room
                fault = fault ?? FileError(operation: .write, path: handle.path, code: Code.noSpace)
            }
        }
        if count > 0 {
            apply(.write(offset: Int(offset), bytes: Array(bytes.array.prefix(count))), to: node)
        }
        if let fault { throw fault }
    }

    /// The live length.
    package func size(_ handle: OpenFile) throws(FileError) -> Int64 {
        try begin(.status, handle.path)
        return Int64(nodes[try node(handle, .status)]?.live.count ?? 0)
    }

    /// Changes the live length.
    package func truncate(_ handle: OpenFile, to size: Int64) throws(FileError) {
        try begin(.truncate, handle.path)
        apply(.truncate(Int(size)), to: try node(handle, .truncate))
    }

    /// Makes live bytes durable.
    ///
    /// After a fault some of the changes are lost for good, although reads still see them, as Linux
    /// does.
    package func synchronizeData(_ handle: OpenFile) throws(FileError) {
        let node = try node(handle, .synchronize)
        do throws(FileError) {
            try begin(.synchronize, handle.path)
        } catch {
            if hasCrashed { throw error }
            nodes[node]?.pending.removeAll { _ in generator.chance(percent: 50) }
            throw error
        }
        guard let found = nodes[node] else { return }
        // Not simply the live bytes: what an earlier failed sync dropped stays lost.
        nodes[node]?.durable = Self.applied(found.pending, to: found.durable)
        nodes[node]?.pending = []
    }

    /// Makes the names in a directory durable.
    package func synchronizeDirectory(_ path: String) throws(FileError) {
        try begin(.synchronizeDirectory, path)
        guard isDirectory(path) else {
            throw FileError(operation: .synchronizeDirectory, path: path, code: Code.missing)
        }
        for change in pendingNames where change.directories.contains(path) {
            Self.apply(change, to: &durableNames)
        }
        pendingNames.removeAll { $0.directories.contains(path) }
    }

    /// Renames a file, live.
    package func rename(_ path: String, to target: String) throws(FileError) {
        try begin(.rename, path)
        guard let node = liveNames[path], isDirectory(parent(target)) else {
            throw FileError(operation: .rename, path: path, code: Code.missing)
        }
        change(
            NameChange(
                directories: [parent(path), parent(target)],
                removed: path,
                added: (target, node)
            )
        )
    }

    /// Removes a name, live.
    package func unlink(_ path: String) throws(FileError) {
        try begin(.unlink, path)
        guard liveNames[path] != nil else {
            throw FileError(operation: .unlink, path: path, code: Code.missing)
        }
        change(NameChange(directories: [parent(path)], removed: path, added: nil))
    }

    /// The live names.
    package func list(_ directory: String) throws(FileError) -> [String] {
        try begin(.list, directory)
        guard isDirectory(directory) else {
            throw FileError(operation: .list, path: directory, code: Code.missing)
        }
        return liveNames.keys.filter { $0 != "/" && parent($0) == directory }
            .map { String($0.dropFirst(directory == "/" ? 1 : directory.count + 1)) }.sorted()
    }

    /// Makes a directory, live.
    package func makeDirectory(_ path: String) throws(FileError) {
        try begin(.makeDirectory, path)
        guard liveNames[path] == nil, isDirectory(parent(path)) else {
            throw FileError(operation: .makeDirectory, path: path, code: Code.exists)
        }
        nodes[nextNode] = Node(isDirectory: true)
        change(NameChange(directories: [parent(path)], removed: nil, added: (path, nextNode)))
        nextNode += 1
    }

    /// What the live name is.
    package func status(_ path: String) throws(FileError) -> FileStatus? {
        try begin(.status, path)
        guard let node = liveNames[path].flatMap({ nodes[$0] }) else { return nil }
        let special = ownership[path]
        return FileStatus(
            kind: node.isDirectory ? .directory : .file,
            size: Int64(node.live.count),
            owner: special?.owner ?? userID,
            permissions: special?.permissions ?? (node.isDirectory ? 0o700 : 0o600)
        )
    }

    /// Locks the file for one handle.
    package func lock(_ handle: OpenFile) throws(FileError) -> Bool {
        try begin(.lock, handle.path)
        let node = try node(handle, .lock)
        guard locks[node] == nil || locks[node] == handle.number else { return false }
        locks[node] = handle.number
        return true
    }

    // MARK: - Helpers

    /// Error numbers of Linux that this disk reports itself.
    private enum Code {
        static let missing: Int32 = 2
        static let badHandle: Int32 = 9
        static let exists: Int32 = 17
        static let noSpace: Int32 = 28
        /// What a crashed process gets: no real call returns it.
        static let crashed: Int32 = 108
    }

    private func begin(_ operation: FileError.Operation, _ path: String) throws(FileError) {
        if hasCrashed { throw FileError(operation: operation, path: path, code: Code.crashed) }
        let number = operations
        operations += 1
        var fault = faults[number]
        if let sticky = stickyFault, number >= sticky.from { fault = sticky.fault }
        if let only = faultyOperations, !only.contains(operation) { fault = nil }
        switch fault {
        case nil: return
        case .error(let code): throw FileError(operation: operation, path: path, code: code)
        case .crash:
            hasCrashed = true
            throw FileError(operation: operation, path: path, code: Code.crashed)
        }
    }

    private func node(
        _ handle: OpenFile,
        _ operation: FileError.Operation
    ) throws(FileError) -> Int {
        guard let node = handles[handle.number] else {
            throw FileError(operation: operation, path: handle.path, code: Code.badHandle)
        }
        return node
    }

    private func apply(_ change: Change, to node: Int) {
        changes += 1
        guard var found = nodes.removeValue(forKey: node) else { return }
        Self.apply(change, to: &found.live)
        found.pending.append(change)
        nodes[node] = found
    }

    private func change(_ change: NameChange) {
        changes += 1
        Self.apply(change, to: &liveNames)
        pendingNames.append(change)
    }

    private var used: Int {
        liveNames.values.reduce(0) { $0 + (nodes[$1]?.live.count ?? 0) }
    }

    private func isDirectory(_ path: String) -> Bool {
        liveNames[path].flatMap { nodes[$0] }?.isDirectory ?? false
    }

    private func parent(_ path: String) -> String {
        let slash = path.lastIndex(of: "/") ?? path.startIndex
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    static func applied(_ changes: [Change], to bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        for change in changes { apply(change, to: &bytes) }
        return bytes
    }

    static func apply(_ change: Change, to bytes: inout [UInt8]) {
        switch change {
        case .truncate(let size):
            if size < bytes.count {
                bytes.removeSubrange(size...)
            } else {
                bytes.append(contentsOf: repeatElement(0, count: size - bytes.count))
            }
        case .write(let offset, let new):
            let end = offset + new.count
            if bytes.count < end {
                bytes.append(contentsOf: repeatElement(0, count: end - bytes.count))
            }
            bytes.replaceSubrange(offset..<end, with: new)
        }
    }

    static func apply(_ change: NameChange, to names: inout [String: Int]) {
        if let removed = change.removed { names[removed] = nil }
        if let added = change.added { names[added.path] = added.node }
    }
}
