import Basics
import Glibc
import Sync

/// A directory that gets the three files of each run, each of them whole or not at all.
struct RunFolder {
    let directory: String

    /// Bytes rendered and written at a time.
    private static let pieceByteCount = 1 << 20

    /// Writes a run's files and returns when all are on disk under their names.
    ///
    /// `existing` gets its name last, when the others have theirs for good: where it is, the run is whole. A
    /// run of the same tick replaces its own files.
    func write(_ run: RunRequest, columns: [String]) throws(DiskError) {
        let files = RunFile.Part.allCases.map { RunFile($0, of: run, columns: columns) }
        var isUntouched = true
        do throws(DiskError) {
            for file in files { try write(file) }
            for file in files {
                if file.name == files.last?.name { try synchronize() }
                try publish(file)
                isUntouched = false
            }
            try synchronize()
        } catch {
            for file in files { unlink(temporaryPath(file)) }
            throw DiskError(text: error.text, isUntouched: isUntouched)
        }
    }

    private func write(_ file: RunFile) throws(DiskError) {
        let path = temporaryPath(file)
        // A left-over of a crash; what is no file of ours is never followed or written through.
        unlink(path)
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW
        let descriptor = open(path, flags, DiskCalls.fileMode)
        guard descriptor >= 0 else {
            let cause = errno
            throw failure(
                path,
                "cannot be created",
                cause,
                cause == ENOENT
                    ? "create the directory \(directory)"
                    : "make \(directory) writable for this user"
            )
        }
        defer { close(descriptor) }
        // The mode given to open() is narrowed by the umask.
        guard fchmod(descriptor, DiskCalls.fileMode) == 0 else {
            throw failure(path, "cannot get mode 0640", errno, "use a file system with permissions")
        }
        var file = file
        while let piece = file.next(byteCount: Self.pieceByteCount) {
            if let cause = DiskCalls.write(piece, to: descriptor) {
                let remedy = cause == ENOSPC ? "make room on the disk" : "check the disk"
                throw failure(path, "cannot be written", cause, remedy)
            }
        }
        guard fsync(descriptor) == 0 else {
            throw failure(path, "cannot be made durable", errno, "check the disk")
        }
    }

    private func publish(_ file: RunFile) throws(DiskError) {
        let path = "\(directory)/\(file.name)"
        guard rename(temporaryPath(file), path) == 0 else {
            throw failure(path, "cannot get its name", errno, "remove what has it")
        }
    }

    private func synchronize() throws(DiskError) {
        if let cause = DiskCalls.synchronizeDirectory(directory) {
            throw failure(directory, "cannot be made durable", cause, "check the disk")
        }
    }

    private func temporaryPath(_ file: RunFile) -> String {
        "\(directory)/.\(file.name).tmp"
    }

    private func failure(
        _ path: String,
        _ what: String,
        _ cause: Int32,
        _ remedy: String
    ) -> DiskError {
        DiskError(text: "\(path) \(what): \(SystemError.text(cause)); \(remedy)", isUntouched: true)
    }
}
