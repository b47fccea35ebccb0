import Foundation

/// The inputs that a fuzzer begins with: the shapes of what it reads, and what once failed.
package enum FuzzInputs {
    /// Every input of a target, by name.
    package static func all(of target: String) throws -> [(name: String, bytes: [UInt8])] {
        let folder = Golden.folder.deletingLastPathComponent()
            .appendingPathComponent("Fuzz/corpus/\(target)")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        return try names.map { name in
            (name, [UInt8](try Data(contentsOf: folder.appendingPathComponent(name))))
        }
    }
}
