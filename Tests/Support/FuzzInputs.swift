import Foundation

/// The inputs of a fuzzer that are kept: the seeds of its corpus, and what once failed.
package enum FuzzInputs {
    /// Every input of a target, by name.
    package static func all(of target: String) throws -> [(name: String, bytes: [UInt8])] {
        let folder = Golden.folder.deletingLastPathComponent().appendingPathComponent("Fuzz")
        var inputs: [(name: String, bytes: [UInt8])] = []
        for kind in ["corpus", "regressions"] {
            let place = folder.appendingPathComponent(kind).appendingPathComponent(target)
            // Without findings there is no folder of them.
            if kind == "regressions", !FileManager.default.fileExists(atPath: place.path) {
                continue
            }
            for name in try FileManager.default.contentsOfDirectory(atPath: place.path).sorted() {
                let content = try Data(contentsOf: place.appendingPathComponent(name))
                inputs.append(("\(kind)/\(name)", [UInt8](content)))
            }
        }
        return inputs
    }
}
