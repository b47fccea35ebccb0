import Glibc

/// Whether the system's journal reads what this process writes.
enum JournalStream {
    /// Whether stderr goes to the journal.
    ///
    /// `JOURNAL_STREAM` holds device and inode of the stream that systemd connected; processes further down inherit
    /// it with another stderr, such as a terminal (systemd.exec(5)).
    static var isStandardError: Bool {
        guard let variable = getenv("JOURNAL_STREAM") else { return false }
        let parts = String(cString: variable).split(separator: ":")
        guard parts.count == 2, let device = UInt64(parts[0]), let inode = UInt64(parts[1]) else {
            return false
        }
        var status = stat()
        return fstat(STDERR_FILENO, &status) == 0 && status.st_dev == device
            && status.st_ino == inode
    }
}
