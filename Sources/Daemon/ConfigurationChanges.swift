import Basics
import Cohorts
import Configuration
import YAML

/// What differs between the configuration that runs and the one that is to.
struct ConfigurationChanges: Equatable {
    /// Objects of one kind, by id.
    struct Objects: Equatable {
        var added: [String] = []
        var changed: [String] = []
        var removed: [String] = []

        var isEmpty: Bool { added.isEmpty && changed.isEmpty && removed.isEmpty }

        /// `+buyers ~viewers -old`: added, changed, removed.
        var text: String {
            (added.map { "+" + $0 } + changed.map { "~" + $0 } + removed.map { "-" + $0 })
                .joined(separator: " ")
        }

        /// `same` says whether two objects of one id say the same.
        init<Object>(
            from old: [Object],
            to new: [Object],
            id: (Object) -> String,
            same: (Object, Object) -> Bool
        ) {
            let before = Dictionary(old.map { (id($0), $0) }) { first, _ in first }
            let after = Dictionary(new.map { (id($0), $0) }) { first, _ in first }
            for (id, object) in after.sorted(by: { $0.key.precedesByBytes($1.key) }) {
                if let known = before[id] {
                    if !same(known, object) { changed.append(id) }
                } else {
                    added.append(id)
                }
            }
            removed = before.keys.filter { after[$0] == nil }.sorted { $0.precedesByBytes($1) }
        }
    }

    let cohorts: Objects
    let destinations: Objects
    let syncs: Objects
    /// By file name.
    let templates: Objects
    /// Keys of `cohortd.yaml` at its top level.
    let settings: [String]

    init(from old: LoadedConfiguration, to new: LoadedConfiguration) {
        cohorts = Objects(from: old.cohorts, to: new.cohorts, id: \.id) {
            $0.document.json == $1.document.json
        }
        // Wherever in its file an object stands.
        destinations = Objects(from: old.destinations, to: new.destinations, id: \.id) {
            var other = $1
            other.places = $0.places
            return $0 == other
        }
        syncs = Objects(from: old.syncs, to: new.syncs, id: \.id) {
            var other = $1
            other.places = $0.places
            return $0 == other
        }
        templates = Objects(from: old.templateFiles, to: new.templateFiles, id: \.name) {
            $0.bytes == $1.bytes
        }
        settings = Self.settings(old.daemon, new.daemon)
    }

    /// Keys that take effect at a start only, among those that changed.
    var needingRestart: [String] {
        settings.filter { ["data_dir", "kafka.topic", "log.format"].contains($0) }
    }

    /// One line: what changed, or that nothing did.
    var text: String {
        var parts: [String] = []
        for (name, objects) in [
            ("cohorts", cohorts), ("destinations", destinations), ("syncs", syncs),
            ("templates", templates),
        ] where !objects.isEmpty { parts.append("\(name) \(objects.text)") }
        if !settings.isEmpty { parts.append("settings ~" + settings.joined(separator: " ~")) }
        if parts.isEmpty { return "nothing changed but what references may lead to" }
        return parts.joined(separator: "; ")
    }

    private static func settings(
        _ old: DaemonConfiguration,
        _ new: DaemonConfiguration
    ) -> [String] {
        func differs<Value: Equatable>(_ value: (DaemonConfiguration) -> Value) -> Bool {
            value(old) != value(new)
        }
        var kafka = old.kafka
        kafka.topic = new.kafka.topic
        return [
            ("data_dir", differs(\.dataDirectory)), ("timezone", differs(\.timezone)),
            ("tick", differs(\.tickMilliseconds)), ("inactive_events", differs(\.inactiveEvents)),
            ("identify", differs(\.identify)), ("dedupe", differs(\.dedupe)),
            ("kafka.topic", differs(\.kafka.topic)), ("kafka", kafka != new.kafka),
            ("snapshot", differs(\.snapshot)), ("archive", differs(\.archive)),
            ("history", differs(\.history)), ("delta_log", differs(\.deltaLog)),
            ("memory_max", differs(\.memoryMax)), ("limits", differs(\.limits)),
            ("include", differs(\.include)), ("accept_history", differs(\.acceptHistory)),
            ("http", differs(\.http)), ("log.level", differs(\.log.level)),
            ("log.format", differs(\.log.format)),
        ].filter { $0.1 }.map { $0.0 }
    }
}
