package import Foundation

/// A folder that is there as long as somebody holds this.
package final class TemporaryFolder {
    /// Where it is.
    package let url: URL

    /// Makes it.
    package init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent(
            "cohortd-test-\(UUID().uuidString)"
        )
        try FileManager.default.createDirectory(
            at: url,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
    }

    deinit {
        do {
            try remove()
        } catch {
            print("cannot remove \(url.path): \(error)")
        }
    }

    /// Removes it, unless it is gone already.
    package func remove() throws {
        if FileManager.default.fileExists(atPath: url.path) {
            try FileManager.default.removeItem(at: url)
        }
    }

    /// Writes a file in it, whose folder is made where it is not there.
    @discardableResult
    package func write(_ name: String, _ content: Data) throws -> URL {
        let file = url.appendingPathComponent(name)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(),
            withIntermediateDirectories: true
        )
        try content.write(to: file)
        return file
    }

    /// Writes a text file in it.
    @discardableResult
    package func write(_ name: String, _ text: String) throws -> URL {
        try write(name, Data(text.utf8))
    }

    /// The text of a file in it.
    package func text(_ name: String) throws -> String {
        String(decoding: try Data(contentsOf: url.appendingPathComponent(name)), as: UTF8.self)
    }
}
