import Basics
package import Cohorts
package import Configuration
import Destinations
import InputFiles
import Kafka
package import Templates

/// Everything the daemon is told, read from disk and checked as a whole.
package struct LoadedConfiguration: Sendable {
    /// `cohortd.yaml` with the overrides over it.
    package var daemon: DaemonConfiguration
    /// The cohorts, by file.
    package var cohorts: [Definition]
    /// The templates that are files, by file.
    package var templates: [Template]
    /// What those files hold.
    package var templateFiles: [ConfigurationFile] = []
    /// The destinations, by file.
    package var destinations: [DestinationConfiguration]
    /// The syncs, by file.
    package var syncs: [SyncConfiguration]
    /// What the API made; its cohorts are among ``cohorts``.
    package private(set) var objects = ControlObjects()
    /// The files of the included folders.
    private var files = IncludedFiles()
    /// Lines for stderr; the configuration may be used only if there are none.
    package var problems: [String]
    /// What the references of `http` led to when they were read; nil before.
    var credentials: APICredentials?
    /// What may be a mistake and changes nothing: variables `COHORTD_…` that name no key.
    package var warnings: [String] = []

    /// Reads the configuration file and the folders it includes.
    ///
    /// - Parameters:
    ///   - path: The configuration file.
    ///   - environment: The variables of the process, of which `COHORTD_…` go over the file.
    ///   - overrides: Each `--set`, in order; they go over the environment.
    ///   - acceptHistory: Each `--accept-history`.
    /// - Returns: What could be read with what the API made, as the data directory has it, and every problem.
    package static func read(
        path: String,
        environment: [String: String] = [:],
        overrides: [Override],
        acceptHistory: [String]
    ) -> LoadedConfiguration {
        var loaded = LoadedConfiguration(
            daemon: DaemonConfiguration(),
            cohorts: [],
            templates: [],
            destinations: [],
            syncs: [],
            problems: []
        )
        let variables = EnvironmentVariables.read(environment)
        loaded.warnings = variables.warnings
        let bytes: [UInt8]
        do throws(InputError) {
            bytes = try InputFiles.read(path)
        } catch {
            loaded.problems = ["cohortd: \(error.description)"]
            return loaded
        }
        let reading = DaemonConfiguration.read(
            ConfigurationFile(name: path, bytes: bytes),
            overrides: variables.overrides + overrides,
            zoneExists: ZoneFiles.exists
        )
        loaded.daemon = reading.value.configuration
        loaded.problems = reading.problems.map(\.description)
        let include = loaded.daemon.include
        loaded.files.cohorts = loaded.folder(include.cohorts, beside: path)
        loaded.templateFiles = loaded.folder(include.templates, beside: path)
        loaded.files.destinations = loaded.folder(include.destinations, beside: path)
        loaded.files.syncs = loaded.folder(include.syncs, beside: path)
        loaded.objects = ControlTopic.objects(in: loaded.daemon.dataDirectory)
        loaded.problems += loaded.readObjects()
        loaded.problems += reading.value.acceptHistoryProblems(
            cohorts: loaded.cohorts.map(\.id),
            flags: acceptHistory
        ).map(\.description)
        loaded.daemon.acceptHistory += acceptHistory
        loaded.checkKafkaProperties(path: path)
        return loaded
    }

    /// What librdkafka has against a value; of one that is referred to it says so when it is used.
    private mutating func checkKafkaProperties(path: String) {
        for (name, text) in daemon.kafka.properties.plain {
            if let problem = ConfigurationCheck.problem(name, text) {
                problems.append(
                    "\(path): error[kafka_property]: kafka.properties.\(name): \(problem)"
                )
            }
        }
        for destination in destinations {
            let kafka: DestinationConfiguration.Kafka
            switch destination.template {
            case .kafkaTopic(let topic), .kafkaTable(let topic): kafka = topic
            default: continue
            }
            for (name, text) in kafka.properties.plain {
                if let problem = ConfigurationCheck.problem(name, text) {
                    let place = destination.places.place(of: "settings.properties.\(name)")
                    problems.append(
                        "\(place): error[kafka_property]: settings.properties.\(name): \(problem)"
                    )
                }
            }
        }
    }

    private mutating func folder(_ name: String, beside path: String) -> [ConfigurationFile] {
        do throws(InputError) {
            return try InputFiles.included(name, besideFile: path)
        } catch {
            problems.append("cohortd: \(error.description)")
            return []
        }
    }

    /// The same with other objects of the API; files are not read again.
    ///
    /// Its problems are those that the objects make.
    func with(_ objects: ControlObjects) -> LoadedConfiguration {
        var changed = self
        changed.objects = objects
        changed.problems = changed.readObjects()
        return changed
    }

    /// Whether a file has a cohort.
    func hasFile(ofCohort id: String) -> Bool {
        objects.cohorts[id] == nil && cohorts.contains { $0.id == id }
    }

    /// Cohorts that may go on although history they look at is gone.
    var acceptedHistory: Set<String> { objects.accepted.union(daemon.acceptHistory) }

    /// Makes objects of the files and of what the API made; gives the problems.
    private mutating func readObjects() -> [String] {
        let made = objects.cohorts.sorted { $0.key.precedesByBytes($1.key) }
            .map { DefinitionSource(name: "the API's cohort \($0.key)", bytes: $0.value) }
        let (definitions, found) = DefinitionParser.parse(
            files.cohorts.map { DefinitionSource(name: $0.name, bytes: $0.bytes) } + made,
            isTimeZone: ZoneFiles.exists
        )
        cohorts = definitions
        var problems = found.map(\.description)
        problems += definitions.flatMap { PlanCompiler.unsupported(in: $0) }
            .map(\.description)
        let templateReading = Template.read(templateFiles)
        templates = templateReading.value
        problems += templateReading.problems.map(\.description)
        let destinationReading = DestinationConfiguration.read(
            files.destinations,
            templates: templateReading.outlines,
            rules: .ofAddresses
        )
        destinations = destinationReading.value
        problems += destinationReading.problems.map(\.description)
        let syncReading = SyncConfiguration.read(
            files.syncs,
            cohorts: cohorts.map(\.id),
            destinations: destinationReading
        )
        syncs = syncReading.value
        problems += syncReading.problems.map(\.description)
        return problems
    }

    /// Files of included folders.
    private struct IncludedFiles: Sendable {
        var cohorts: [ConfigurationFile] = []
        var destinations: [ConfigurationFile] = []
        var syncs: [ConfigurationFile] = []
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
        let idle = DaemonConfiguration.keysWithoutEffect
        text += "defaults without effect in this version: \(idle.joined(separator: " "))\n"
        return text
    }
}

extension [String: ReferencedText] {
    /// Those that are no references, in the order of their names.
    fileprivate var plain: [(name: String, text: String)] {
        sorted { $0.key.precedesByBytes($1.key) }.compactMap { name, value in
            guard case .plain(let text) = value else { return nil }
            return (name, text)
        }
    }
}
