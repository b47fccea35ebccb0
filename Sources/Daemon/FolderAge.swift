import Basics
import Glibc
import LogStore

/// When the files of a folder were written to last.
enum FolderAge {
    /// The newest change of a file in the folder; nil where there is none.
    static func newestChange(in path: String) throws(StoreError) -> EventTime? {
        let names: [String]
        do throws(FileError) {
            names = try DiskFileSystem().list(path)
        } catch {
            throw .io(error)
        }
        var newest: EventTime?
        for name in names {
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
