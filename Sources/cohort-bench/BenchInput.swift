import Basics
import Cohorts
import Configuration
import InputFiles

/// Reads what a benchmark takes: definitions and the settings they are read with.
enum BenchInput {
    /// The settings of `--config`, or the defaults without it.
    static func settings(_ path: String?) throws(BenchStatus) -> ReplayConfiguration {
        guard let path else { return ReplayConfiguration() }
        let bytes: [UInt8]
        do throws(InputError) {
            bytes = try InputFiles.read(path)
        } catch {
            printError("cohort-bench: \(error.description)")
            throw .configuration
        }
        let reading = DaemonConfiguration.read(
            ConfigurationFile(name: path, bytes: bytes),
            zoneExists: ZoneFiles.exists
        )
        for problem in reading.problems { printError(problem.description) }
        if !reading.problems.isEmpty { throw .configuration }
        return reading.value.configuration.replay
    }

    /// The definitions that can be evaluated.
    ///
    /// - Parameters:
    ///   - paths: Files and folders.
    ///   - skipping: Leaves out the others, and those that refer to them, with a line each; without it they
    ///     are refused.
    /// - Returns: At least what can be evaluated by itself.
    /// - Throws: The exit status of what went wrong, which is on stderr by then.
    static func definitions(
        _ paths: [String],
        skipping: Bool
    ) throws(BenchStatus) -> [Definition] {
        let files: [ConfigurationFile]
        do throws(InputError) {
            files = try InputFiles.definitions(at: paths)
        } catch {
            printError("cohort-bench: \(error.description)")
            throw .inputMissing
        }
        let (definitions, problems) = DefinitionParser.parse(
            files.map { DefinitionSource(name: $0.name, bytes: $0.bytes) },
            isTimeZone: ZoneFiles.exists
        )
        for problem in problems { printError(problem.description) }
        if !problems.isEmpty { throw .definitionInvalid }
        return try supported(definitions, skipping: skipping)
    }

    private static func supported(
        _ definitions: [Definition],
        skipping: Bool
    ) throws(BenchStatus) -> [Definition] {
        var kept: [Definition] = []
        var skipped: Set<String> = []
        var isRefused = false
        for definition in definitions {
            let problems = PlanCompiler.unsupported(in: definition)
            guard let first = problems.first else {
                kept.append(definition)
                continue
            }
            skipped.insert(definition.id)
            if skipping {
                printError("skipped \(definition.id): \(first.description)")
            } else {
                for problem in problems { printError(problem.description) }
                isRefused = true
            }
        }
        if isRefused {
            printError("cohort-bench: --skip-unsupported leaves these definitions out")
            throw .definitionInvalid
        }
        while let index = kept.firstIndex(where: { $0.users.refers(to: skipped) }) {
            let definition = kept.remove(at: index)
            skipped.insert(definition.id)
            printError("skipped \(definition.id): it refers to a skipped cohort")
        }
        return kept
    }
}

extension Clause {
    /// Whether a `member_of` anywhere inside names one of these cohorts.
    fileprivate func refers(to ids: Set<String>) -> Bool {
        switch kind {
        case .all(let parts), .any(let parts): parts.contains { $0.refers(to: ids) }
        case .not(let part): part.refers(to: ids)
        case .memberOf(let id): ids.contains(id)
        default: false
        }
    }
}
