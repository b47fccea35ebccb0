import Basics

/// The variables `COHORTD_…` of the environment: `COHORTD_KAFKA_TOPIC` gives `kafka.topic`.
///
/// Every key of `cohortd.yaml` with a single value has one. Lists, and what is inside `kafka.properties`, are given
/// in the file or by `--set`.
package enum EnvironmentVariables {
    /// What variables say.
    package struct Reading: Sendable {
        /// In the order of the bytes of their names.
        package var overrides: [Override]
        /// A sentence each, of variables that say nothing.
        package var warnings: [String]
    }

    /// What the names of all of them begin with.
    static let prefix = "COHORTD_"

    /// Names with this beginning that other programs of the package and the tests read.
    static let others: Set = [
        "COHORTD_ADDRESS", "COHORTD_KEY", "COHORTD_TEST_DATA", "COHORTD_PERF",
    ]

    /// The variable of each key that has one, with the key's path.
    static let paths: [String: String] = {
        let keys = ConfigurationKey.daemon.filter { $0.isSingleValue }
        return Dictionary(uniqueKeysWithValues: keys.map { (name(of: $0.path), $0.path) })
    }()

    /// Reads the variables of a process.
    ///
    /// - Parameter variables: All of them, by name.
    /// - Returns: What goes over the file, and what may be a mistake.
    package static func read(_ variables: [String: String]) -> Reading {
        var reading = Reading(overrides: [], warnings: [])
        let ours = variables.filter { $0.key.hasPrefix(prefix) && !others.contains($0.key) }
        for (name, value) in ours.sorted(by: { $0.key.precedesByBytes($1.key) }) {
            if let path = paths[name] {
                reading.overrides.append(Override(variable: name, path: path, value: value))
            } else {
                reading.warnings.append("the variable \(name) is ignored: \(reason(name))")
            }
        }
        return reading
    }

    private static func reason(_ variable: String) -> String {
        let properties = name(of: "kafka.properties")
        if variable.hasPrefix(properties) {
            return
                "properties of librdkafka are given in the file, or by --set kafka.properties.NAME=VALUE"
        }
        let list = ConfigurationKey.daemon.first { name(of: $0.path) == variable }
        if let list { return "\(list.path) is a list, which is given in the file or by --set" }
        let hint = Suggestion.nearest(to: variable, among: Array(paths.keys).sorted())
        return "no key has this name" + (hint.map { " (did you mean \($0)?)" } ?? "")
    }

    private static func name(of path: String) -> String {
        prefix + path.uppercased().map { $0 == "." ? "_" : String($0) }.joined()
    }
}

extension ConfigurationKey {
    /// Whether it takes one value, no list and no map: the default, written as in YAML, shows it.
    fileprivate var isSingleValue: Bool {
        !fallback.hasPrefix("[") && !fallback.hasPrefix("{")
    }
}
