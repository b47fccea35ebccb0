import Basics
package import Configuration
import Glibc

/// Why a file could not be read.
package struct InputError: Error, Sendable {
    /// The path as it was given.
    package let path: String
    /// What the system said.
    package let reason: String

    /// An error from its parts.
    package init(path: String, reason: String) {
        self.path = path
        self.reason = reason
    }

    /// One line for stderr.
    package var description: String { "cannot read \(path): \(reason)" }
}

/// Reads whole files and folders of definitions for the programs; the core gets bytes.
package enum InputFiles {
    /// Reads a file to its end.
    package static func read(_ path: String) throws(InputError) -> [UInt8] {
        let descriptor = try open(path)
        defer { close(descriptor) }
        var status = stat()
        if fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
            throw InputError(path: path, reason: "it is a folder")
        }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count > 0 {
                bytes += buffer[0..<count]
            } else if count == 0 {
                return bytes
            } else if errno != EINTR {
                throw InputError(path: path, reason: SystemError.text(errno))
            }
        }
    }

    /// Opens a file for reading; the caller closes the descriptor.
    package static func open(_ path: String) throws(InputError) -> Int32 {
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        if descriptor < 0 { throw InputError(path: path, reason: SystemError.text(errno)) }
        return descriptor
    }

    /// Reads files and folders: a folder stands for its `*.yaml *.yml *.json`, not deeper, by bytes of the
    /// name.
    package static func definitions(at paths: [String]) throws(InputError) -> [ConfigurationFile] {
        var files: [ConfigurationFile] = []
        for path in paths {
            if isFolder(path) {
                for name in try names(in: path) {
                    let full = path.hasSuffix("/") ? path + name : path + "/" + name
                    files.append(ConfigurationFile(name: full, bytes: try read(full)))
                }
            } else {
                files.append(ConfigurationFile(name: path, bytes: try read(path)))
            }
        }
        return files
    }

    /// Reads the definitions of a folder of `include`; a missing folder is an empty one.
    ///
    /// - Parameters:
    ///   - folder: As written in the configuration.
    ///   - configuration: The path of the configuration file.
    /// - Returns: The files.
    /// - Throws: `InputError` for the first that cannot be read.
    package static func included(
        _ folder: String,
        besideFile configuration: String
    ) throws(InputError) -> [ConfigurationFile] {
        let path = ConfigurationFolder.path(of: folder, besideFile: configuration)
        return exists(path) ? try definitions(at: [path]) : []
    }

    /// Whether the path names a folder.
    package static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// Whether anything is at the path.
    package static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    private static func names(in folder: String) throws(InputError) -> [String] {
        guard let directory = opendir(folder) else {
            throw InputError(path: folder, reason: SystemError.text(errno))
        }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            names.append(name)
        }
        return ConfigurationFolder.definitionFiles(among: names)
    }
}
