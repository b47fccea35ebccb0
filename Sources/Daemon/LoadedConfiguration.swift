package import Cohorts
package import Configuration
import Destinations
import InputFiles
import Kafka

/// Everything the daemon is told, read from disk and checked as a whole.
package struct LoadedConfiguration: Sendable {
    /// `cohortd.yaml` with the overrides over it.
    package var daemon: DaemonConfiguration
    /// The cohorts, by file.
    package var cohorts: [Definition]
    /// The destinations, by file.
    package var destinations: [DestinationConfiguration]
    /// The syncs, by file.
    package var syncs: [SyncConfiguration]
    /// Lines for stderr; the configuration may be used only if there are none.
    package var problems: [String]

    /// Reads the configuration file and the folders it includes.
    ///
    /// - Parameters:
    ///   - path: The configuration file.
    ///   - overrides: Each `--set`, in order.
    ///   - acceptHistory: Each `--accept-history`.
    /// - Returns: What could be read, and every problem.
    package static func read(
        path: String,
        overrides: [Override],
        acceptHistory: [String]
    ) -> LoadedConfiguration {
        var loaded = LoadedConfiguration(
            daemon: DaemonConfiguration(),
            cohorts: [],
            destinations: [],
            syncs: [],
            problems: []
        )
        let bytes: [UInt8]
        do throws(InputError) {
            bytes = try InputFiles.read(path)
        } catch {
            loaded.problems = ["cohortd: \(error.description)"]
            return loaded
        }
        let reading = DaemonConfiguration.read(
            ConfigurationFile(name: path, bytes: bytes),
            overrides: overrides,
            zoneExists: ZoneFiles.exists
        )
        loaded.daemon = reading.value.configuration
        loaded.problems = reading.problems.map(\.description)
        let include = loaded.daemon.include
        loaded.readCohorts(loaded.folder(include.cohorts, beside: path))
        loaded.readObjects(
            destinations: loaded.folder(include.destinations, beside: path),
            syncs: loaded.folder(include.syncs, beside: path)
        )
        loaded.problems += reading.value.acceptHistoryProblems(
            cohorts: loaded.cohorts.map(\.id),
            flags: acceptHistory
        ).map(\.description)
        loaded.daemon.acceptHistory += acceptHistory
        for (name, value) in loaded.daemon.kafka.properties.sorted(by: { $0.key < $1.key }) {
            guard case .plain(let text) = value else { continue }
            if let problem = ConfigurationCheck.problem(name, text) {
                loaded.problems.append(
                    "\(path): error[kafka_property]: kafka.properties.\(name): \(problem)"
                )
            }
        }
        return loaded
    }

    private mutating func folder(_ name: String, beside path: String) -> [ConfigurationFile] {
        let folder = ConfigurationFolder.path(of: name, besideFile: path)
        // A missing folder of `include` is an empty one.
        guard InputFiles.exists(folder) else { return [] }
        do throws(InputError) {
            return try InputFiles.definitions(at: [folder])
        } catch {
            problems.append("cohortd: \(error.description)")
            return []
        }
    }

    private mutating func readCohorts(_ files: [ConfigurationFile]) {
        let (definitions, found) = DefinitionParser.parse(
            files.map { DefinitionSource(name: $0.name, bytes: $0.bytes) },
            isTimeZone: ZoneFiles.exists
        )
        cohorts = definitions
        problems += found.map(\.description)
        problems += definitions.flatMap { PlanCompiler.unsupported(in: $0) }
            .map(\.description)
    }

    private mutating func readObjects(
        destinations destinationFiles: [ConfigurationFile],
        syncs syncFiles: [ConfigurationFile]
    ) {
        let rules = DestinationRules(
            rangeComplaint: { text in
                do throws(AddressError) {
                    _ = try AddressPolicy(allowPrivate: [text])
                    return nil
                } catch {
                    return error.description
                }
            },
            urlComplaint: { text, ranges in
                do throws(AddressError) {
                    _ = try DestinationURL(text, policy: try AddressPolicy(allowPrivate: ranges))
                    return nil
                } catch {
                    return error.description
                }
            }
        )
        let destinationReading = DestinationConfiguration.read(destinationFiles, rules: rules)
        destinations = destinationReading.value
        problems += destinationReading.problems.map(\.description)
        let syncReading = SyncConfiguration.read(
            syncFiles,
            cohorts: cohorts.map(\.id),
            destinations: destinationReading.ids
        )
        syncs = syncReading.value
        problems += syncReading.problems.map(\.description)
    }
}

extension LoadedConfiguration {
    /// What `cohortd check` prints of a configuration without problems.
    package var summary: String {
        func count(_ number: Int, _ one: String) -> String {
            "\(number) \(one)\(number == 1 ? "" : "s")"
        }
        var text =
            "\(count(cohorts.count, "cohort")), \(count(destinations.count, "destination")),"
            + " \(count(syncs.count, "sync")): all valid\n"
        let idle = DaemonConfiguration.keysWithoutEffect + SyncConfiguration.keysWithoutEffect
        text += "defaults without effect in this version: \(idle.joined(separator: " "))\n"
        return text
    }
}
