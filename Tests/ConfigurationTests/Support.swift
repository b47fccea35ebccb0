import Configuration
import Foundation

/// Reads `cohortd.yaml` from text.
func read(
    _ text: String,
    set arguments: [String] = [],
    zones: [String]? = nil
) -> (DaemonConfiguration, [String]) {
    let reading = document(text, set: arguments, zones: zones)
    return (reading.value.configuration, reading.problems.map(\.description))
}

func document(
    _ text: String,
    set arguments: [String] = [],
    zones: [String]? = nil
) -> ConfigurationReading<DaemonConfiguration.Document> {
    var overrides: [Override] = []
    for argument in arguments {
        do throws(OverrideError) {
            overrides.append(try Override(argument: argument))
        } catch {
            preconditionFailure("\(error)")
        }
    }
    return DaemonConfiguration.read(
        ConfigurationFile(name: "c.yaml", bytes: Array(text.utf8)),
        overrides: overrides,
        zoneExists: { zones?.contains($0) ?? true }
    )
}

func problems(_ text: String, set arguments: [String] = []) -> [String] {
    read(text, set: arguments).1
}

/// The folder of the repository.
let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

/// The definition files of a folder of the repository.
func files(in folder: String) throws -> [ConfigurationFile] {
    let url = repository.appending(path: folder)
    let names = try FileManager.default.contentsOfDirectory(atPath: url.path)
    return try ConfigurationFolder.definitionFiles(among: names).map { name in
        ConfigurationFile(
            name: "\(folder)/\(name)",
            bytes: Array(try Data(contentsOf: url.appending(path: name)))
        )
    }
}

func file(_ path: String) throws -> ConfigurationFile {
    ConfigurationFile(
        name: path,
        bytes: Array(try Data(contentsOf: repository.appending(path: path)))
    )
}

/// A folder without templates.
let noTemplates = ConfigurationReading<[TemplateOutline]>(value: [], problems: [])
