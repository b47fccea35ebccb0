import Basics
import Glibc

/// What files of ours are written with; each call gives the system's error number, nil when it was done.
enum DiskCalls {
    /// Readable for the group, so that another program can fetch what we write.
    static let fileMode: mode_t = 0o640

    /// Writes all the bytes; after an error any part of them may be there.
    static func write(_ bytes: [UInt8], to descriptor: Int32) -> Int32? {
        var count = 0
        while count < bytes.count {
            let step = bytes.withUnsafeBytes { buffer in
                Glibc.write(
                    descriptor,
                    buffer.baseAddress.map { $0 + count },
                    buffer.count - count
                )
            }
            if step < 0, errno == EINTR { continue }
            guard step > 0 else { return errno }
            count += step
        }
        return nil
    }

    /// Makes names created in or renamed in the directory durable.
    static func synchronizeDirectory(_ path: String) -> Int32? {
        let folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { return errno }
        defer { close(folder) }
        return fsync(folder) == 0 ? nil : errno
    }
}

/// Why something is not on disk.
struct DiskError: Error, Equatable {
    /// What happened, where, and what to do.
    let text: String
    /// Whether the disk certainly holds nothing of it.
    let isUntouched: Bool
}
