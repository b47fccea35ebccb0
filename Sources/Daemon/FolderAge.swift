import Basics
import Glibc

/// When the files of a folder were written to last.
enum FolderAge {
    /// The newest change of a file in the folder; nil where there is none.
    static func newestChange(in path: String) -> EventTime? {
        guard let directory = opendir(path) else { return nil }
        defer { closedir(directory) }
        var newest: EventTime?
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            var status = stat()
            guard stat("\(path)/\(name)", &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
                continue
            }
            let changed = EventTime(
                milliseconds: Int64(status.st_mtim.tv_sec) * 1000
                    + Int64(status.st_mtim.tv_nsec) / 1_000_000
            )
            newest = max(newest ?? changed, changed)
        }
        return newest
    }
}
