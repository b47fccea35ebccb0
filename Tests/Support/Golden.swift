package import Foundation

/// The files that tests compare with, beside their sources.
package enum Golden {
    /// The folder Tests/Golden.
    package static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Golden")

    /// The bytes of a gzip file.
    package static func unzipped(_ file: URL) throws -> Data {
        let run = try ProgramRun("/usr/bin/gzip", ["-dc", file.path])
        guard run.status == 0 else {
            throw CocoaError(.fileReadCorruptFile, userInfo: [NSFilePathErrorKey: file.path])
        }
        return run.output
    }
}
