import Configuration
import Destinations
import InputFiles
import Templates

/// The destinations and templates of a configuration, checked.
struct ConfiguredDestinations {
    let destinations: [DestinationConfiguration]
    let templates: [Template]

    /// Reads what `path` includes; every problem is on stderr by then.
    init(configuration path: String) throws(ExitStatus) {
        let daemon = try DefinitionInput.configuration(path)
        let templateFiles: [ConfigurationFile]
        let destinationFiles: [ConfigurationFile]
        do throws(InputError) {
            templateFiles = try InputFiles.included(daemon.include.templates, besideFile: path)
            destinationFiles = try InputFiles.included(
                daemon.include.destinations,
                besideFile: path
            )
        } catch {
            printError("cohortctl: \(error.description)")
            throw .configuration
        }
        let templateReading = Template.read(templateFiles)
        let destinationReading = DestinationConfiguration.read(
            destinationFiles,
            templates: templateReading.outlines,
            rules: .ofAddresses
        )
        let problems = templateReading.problems + destinationReading.problems
        for problem in problems { printError(problem.description) }
        if !problems.isEmpty { throw .configuration }
        destinations = destinationReading.value
        templates = templateReading.value
    }
}
