package import Basics

/// What was taken out of a log's way and is kept for a person to look at.
package enum Quarantine {
    /// Bytes of the files in the quarantine of a log; 0 where nothing ever was taken out.
    ///
    /// - Parameters:
    ///   - files: Where the log is.
    ///   - directory: The log's folder.
    /// - Returns: The sum of their lengths; a file that a person removes meanwhile counts or not.
    /// - Throws: `FileError` where the folder cannot be read.
    package static func bytes(
        _ files: some FileSystem,
        directory: String
    ) throws(FileError) -> Int64 {
        let folder = "\(directory)/\(LogDirectory<DiskFileSystem>.quarantine)"
        guard try files.status(folder)?.kind == .directory else { return 0 }
        var sum: Int64 = 0
        for name in try files.list(folder) {
            if let status = try files.status("\(folder)/\(name)"), status.kind == .file {
                sum += status.size
            }
        }
        return sum
    }
}
