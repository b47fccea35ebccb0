/// A file of the configuration, read by the caller.
package struct ConfigurationFile: Sendable {
    /// As named on the command line or found in a folder; messages show it.
    package var name: String
    /// All its bytes.
    package var bytes: [UInt8]

    /// A file from its name and bytes.
    package init(name: String, bytes: [UInt8]) {
        self.name = name
        self.bytes = bytes
    }
}

/// Which files of a folder are definitions.
package enum ConfigurationFolder {
    /// The file names that count: `*.yaml`, `*.yml`, `*.json`, none that begins with a dot, by bytes.
    ///
    /// - Parameter names: What the folder holds, without its subfolders.
    /// - Returns: The names to read, in this order.
    package static func definitionFiles(among names: [String]) -> [String] {
        names.filter { name in
            !name.hasPrefix(".")
                && [".yaml", ".yml", ".json"].contains {
                    name.utf8.count > $0.utf8.count && name.hasSuffix($0)
                }
        }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// A folder of `include`, which is relative to the configuration file.
    ///
    /// - Parameters:
    ///   - folder: As written in the configuration.
    ///   - configuration: The path of the configuration file.
    /// - Returns: The path of the folder, from the working directory or absolute.
    package static func path(of folder: String, besideFile configuration: String) -> String {
        if folder.hasPrefix("/") { return folder }
        guard let slash = configuration.lastIndex(of: "/") else { return folder }
        return configuration[...slash] + folder
    }
}
