import Basics
import Cohorts
import Configuration
import InputFiles

/// Reads what several commands take: definitions and the settings they are read with.
enum DefinitionInput {
    /// The settings of `--config`, or the defaults without it.
    static func settings(_ path: String?) throws(ExitStatus) -> ReplayConfiguration {
        guard let path else { return ReplayConfiguration() }
        return try configuration(path).replay
    }

    /// A `cohortd.yaml`; every problem is on stderr by then.
    static func configuration(_ path: String) throws(ExitStatus) -> DaemonConfiguration {
        let bytes: [UInt8]
        do throws(InputError) {
            bytes = try InputFiles.read(path)
        } catch {
            printError("cohortctl: \(error.description)")
            throw .configuration
        }
        let reading = DaemonConfiguration.read(
            ConfigurationFile(name: path, bytes: bytes),
            zoneExists: ZoneFiles.exists
        )
        for problem in reading.problems { printError(problem.description) }
        if !reading.problems.isEmpty { throw .configuration }
        return reading.value.configuration
    }

    /// The files of `paths`, folders as what they stand for.
    static func files(_ paths: [String]) throws(ExitStatus) -> [ConfigurationFile] {
        do throws(InputError) {
            return try InputFiles.definitions(at: paths)
        } catch {
            printError("cohortctl: \(error.description)")
            throw .inputMissing
        }
    }

    /// The definitions of the files, checked as one set.
    static func parse(_ files: [ConfigurationFile]) throws(ExitStatus) -> [Definition] {
        let (definitions, problems) = DefinitionParser.parse(
            files.map { DefinitionSource(name: $0.name, bytes: $0.bytes) },
            isTimeZone: ZoneFiles.exists
        )
        for problem in problems { printError(problem.description) }
        if !problems.isEmpty { throw .definitionInvalid }
        return definitions
    }

    /// Refuses what this version does not evaluate.
    static func refuseUnsupported(_ definitions: [Definition]) throws(ExitStatus) {
        let problems = definitions.flatMap { PlanCompiler.unsupported(in: $0) }
        for problem in problems { printError(problem.description) }
        if !problems.isEmpty { throw .definitionInvalid }
    }
}
