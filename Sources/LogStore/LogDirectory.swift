import Basics

/// The files of one log by name, and the few ways in which they are read, replaced and moved aside.
struct LogDirectory<Files: FileSystem> {
    static var roots: [String] { ["ROOT-A", "ROOT-B"] }
    static var mark: String { "SYNCED" }
    static var quarantine: String { "quarantine" }
    static var orphans: String { "orphans" }

    let files: Files
    let path: String
    let identity: LogIdentity

    static func wal(_ number: UInt64) -> String { "wal-\(number)" }
    static func manifest(_ number: UInt64) -> String { "MANIFEST-\(number)" }

    /// The number in the name of a log file or manifest, also of an unfinished or moved one.
    static func number(in name: String) -> UInt64? {
        for prefix in ["wal-", "MANIFEST-"] where name.hasPrefix(prefix) {
            return UInt64(name.dropFirst(prefix.count).prefix { $0.isNumber })
        }
        return nil
    }

    static func numbers(in names: [String]) -> [UInt64] {
        var numbers: [UInt64] = []
        for name in names {
            if let number = number(in: name) { numbers.append(number) }
        }
        return numbers
    }

    func path(of name: String) -> String { "\(path)/\(name)" }

    /// A small file whole; nil when there is none.
    ///
    /// At most a page, enough to see that it is too long.
    func read(_ name: String) throws(StoreError) -> [UInt8]? {
        do {
            return try files.readSmall(path(of: name))
        } catch {
            throw .io(error)
        }
    }

    /// Writes a file under a temporary name, syncs it and renames it; the directory is not synced.
    func replace(_ name: String, _ bytes: [UInt8]) throws(StoreError) {
        try files.replace(path(of: name), bytes)
    }

    /// Makes the names in the directory durable.
    ///
    /// Without it a renamed file may not be there after a power loss.
    func synchronize() throws(StoreError) {
        try files.synchronizeNames(path)
    }

    /// Overwrites the beginning of an existing file and syncs it.
    func overwrite(_ name: String, _ bytes: [UInt8]) throws(StoreError) {
        try files.withFile(path(of: name), .createOrUpdate) { handle throws(StoreError) in
            try files.writeWhole(handle, bytes)
        }
    }

    /// Makes the directory `name` in this one, if it is not there, durably.
    func makeDirectory(_ name: String) throws(StoreError) {
        try files.makeDirectoryDurably(path(of: name))
    }

    /// Moves a file that nothing refers to into `orphans`; what is there is never replaced.
    func moveToOrphans(_ name: String) throws(StoreError) -> String {
        try makeDirectory(Self.orphans)
        do {
            var target = path(of: "\(Self.orphans)/\(name)")
            var copy = 0
            while try files.status(target) != nil {
                copy += 1
                target = path(of: "\(Self.orphans)/\(name).\(copy)")
            }
            try files.rename(path(of: name), to: target)
            return target
        } catch {
            throw .io(error)
        }
    }

    func damaged(_ name: String, at offset: Int64 = 0, _ what: String) -> StoreError {
        .damaged(StoreDamage(file: path(of: name), offset: offset, what: what))
    }

    /// The error for a file whose header or body did not check out.
    func refused(_ name: String, _ problem: FileHeader.Problem) -> StoreError {
        if case .unsupported(let what) = problem {
            return .unsupported(path: path(of: name), what: what)
        }
        return damaged(name, problem.text)
    }
}

extension LogDirectory: Sendable where Files: Sendable {}
