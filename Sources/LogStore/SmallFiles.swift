package import Basics

/// The small files of a data directory: each is read and written whole.
///
/// Whoever holds the directory's lock may keep this value for as long.
package struct SmallFiles<Files: FileSystem> {
    /// The directory, without a slash at its end.
    package let path: String
    private let files: Files

    init(path: String, files: Files) {
        self.path = path
        self.files = files
    }

    /// Writes a small file so that after a crash it is the old or the new one, and now the new one.
    package func writeAtomically(_ name: String, _ bytes: [UInt8]) throws(StoreError) {
        try files.replace("\(path)/\(name)", bytes)
        try files.synchronizeNames(path)
    }

    /// A small file (4 KiB at most) whole; nil when there is none.
    package func read(_ name: String) throws(StoreError) -> [UInt8]? {
        let bytes: [UInt8]?
        do {
            bytes = try files.readSmall("\(path)/\(name)")
        } catch {
            throw .io(error)
        }
        guard let bytes, bytes.count > 4096 else { return bytes }
        throw .damaged(
            StoreDamage(file: "\(path)/\(name)", offset: 4096, what: "it is longer than 4 KiB")
        )
    }
}

extension SmallFiles: Sendable where Files: Sendable {}
