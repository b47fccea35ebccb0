import Basics
import Glibc
import InputFiles

/// A folder of a program's own, under the system's temporary one, that goes with everything in it.
package struct ScratchFolder: Sendable {
    /// Why it cannot be made or written to.
    package struct Failure: Error, CustomStringConvertible {
        /// What happened, and where.
        package let description: String
    }

    /// Where it is.
    package let path: String

    /// Makes the folder, and others in it.
    ///
    /// - Parameters:
    ///   - name: What its own name begins with.
    ///   - parent: Where to make it.
    ///   - folders: Names of folders in it.
    /// - Throws: `Failure`.
    package init(
        named name: String,
        in parent: String,
        folders: [String] = []
    ) throws(Failure) {
        var template = Array("\(parent)/\(name)-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else {
            throw Failure(
                description: "cannot make a folder in \(parent): \(SystemError.text(errno))"
            )
        }
        path = String(cString: made)
        for folder in folders { mkdir("\(path)/\(folder)", 0o700) }
    }

    /// Writes a new file that only this user may read.
    ///
    /// - Throws: `Failure`.
    package func write(_ name: String, _ text: String) throws(Failure) {
        let descriptor = open("\(path)/\(name)", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0, DescriptorWriter.writeAll(Array(text.utf8), to: descriptor) else {
            throw Failure(
                description: "cannot write \(path)/\(name): \(SystemError.text(errno))"
            )
        }
        close(descriptor)
    }

    /// Removes the folder with everything in it.
    package func remove() {
        Self.removeTree(path)
    }

    private static func removeTree(_ path: String) {
        if let directory = opendir(path) {
            while let entry = readdir(directory) {
                let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
                }
                if name == "." || name == ".." { continue }
                let inner = "\(path)/\(name)"
                // A link is removed itself, never what it points to.
                if unlink(inner) != 0 { removeTree(inner) }
            }
            closedir(directory)
        }
        rmdir(path)
    }
}
