import Basics
import YAML

extension SyncConfiguration {
    /// Reads all syncs of a folder and checks what they refer to.
    ///
    /// - Parameters:
    ///   - files: The files of ``ConfigurationFolder/definitionFiles(among:)``, in that order.
    ///   - cohorts: The ids of all cohorts.
    ///   - destinations: The reading of the destinations; of one with problems only the id counts.
    /// - Returns: The syncs that could be read, in order, and every problem.
    package static func read(
        _ files: [ConfigurationFile],
        cohorts: [String],
        destinations: ConfigurationReading<[DestinationConfiguration]>
    ) -> ConfigurationReading<[SyncConfiguration]> {
        ObjectReader.read(files, kind: "sync", keys: ConfigurationKey.sync) { top, findings in
            read(top, findings, cohorts, destinations)
        }
    }

    private static func read(
        _ top: consuming Section,
        _ findings: Findings,
        _ cohorts: [String],
        _ destinations: ConfigurationReading<[DestinationConfiguration]>
    ) -> (id: String?, SyncConfiguration?) {
        let id = top.required("id", .identifier)
        let cohort = item(&top, cohorts)
        let destination = top.required("destination", .known(destinations.ids, kind: "destination"))
        var sync = SyncConfiguration(
            id: id ?? "",
            cohort: cohort ?? "",
            destination: destination ?? "",
            places: findings.places
        )
        top.read("cadence", into: &sync.cadence, .word)
        top.read("at", into: &sync.minuteOfDay, .timeOfDay)
        top.list("identity", into: &sync.identity, .property)
        if let node = top.node("identity"), case .sequence(let nodes) = node.value, nodes.isEmpty {
            top.report(
                .badValue,
                node,
                "identity: nobody has a name without a property (expected such as [user_id])"
            )
        }
        top.list("properties", into: &sync.properties, .property)
        var blastGuard = top.section("guard")
        blastGuard.read("share", into: &sync.blastGuard.share, .number(0...1))
        blastGuard.read("users", into: &sync.blastGuard.users, .integer(0...1_000_000_000_000))
        blastGuard.finish()
        top.read("on_delete", into: &sync.onDelete, .word)
        top.read("coalesce", into: &sync.coalesce, .word)
        top.read("reassert", into: &sync.reassertMilliseconds, .duration(0...36_500 * 86_400_000))
        top.read("success", into: &sync.success, .number(0...1))
        top.read("paused", into: &sync.isPaused, .flag)
        if let target = destinations.value.first(where: { $0.id == destination }) {
            sync.check(against: target, &top)
        }
        top.finish()
        sync.places = findings.places
        guard id != nil, cohort != nil, destination != nil else { return (id, nil) }
        return (id, sync)
    }

    /// Notes what this destination does not take.
    private func check(against destination: DestinationConfiguration, _ top: inout Section) {
        let template = destination.template
        let name = "destination \"\(destination.id)\" (\(template.name))"
        if !template.cadences.contains(cadence) {
            let others = template.cadences.map(\.rawValue).joined(separator: ", ")
            top.report(
                .conflict,
                at: top.node("cadence")?.mark ?? top.mark,
                "cadence: \(name) does not take \(cadence.rawValue) (choose one of \(others))"
            )
        }
        if !properties.isEmpty, !template.takesProperties, let node = top.node("properties") {
            top.report(
                .conflict,
                node,
                "properties: \(name) sends no properties along (remove the key; webhook, file-csv and "
                    + "s3-csv do)"
            )
        }
    }

    private static func item(_ top: inout Section, _ cohorts: [String]) -> String? {
        guard let node = top.node("item") else {
            top.report(.missingKey, at: top.mark, "item is missing (expected {cohort: ID})")
            return nil
        }
        let later = ["computation", "property", "prediction", "recommendation"]
        if case .mapping(let pairs) = node.value,
            let pair = pairs.first(where: { later.contains($0.key) })
        {
            top.report(
                .notYet,
                at: pair.keyMark,
                "item.\(pair.key): not yet: expected {cohort: ID}"
            )
            return nil
        }
        var section = top.section("item")
        let cohort = section.required("cohort", .known(cohorts, kind: "cohort"))
        section.finish()
        return cohort
    }
}

extension ValueReader where Value == String {
    /// An id that something has.
    static func known(_ ids: [String], kind: String) -> ValueReader<String> {
        identifier.map { id throws(Refusal) in
            guard !ids.contains(id) else { return id }
            let hint = Suggestion.nearest(to: id, among: ids).map { " (did you mean \"\($0)\"?)" }
            throw Refusal(.unknownID, "there is no \(kind) \"\(id)\"\(hint ?? "")")
        }
    }

    /// The name of a property; names with control characters are mistakes, and break tables and headers.
    fileprivate static var property: ValueReader<String> {
        text("a property").map { text throws(Refusal) in
            guard text.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control })
            else {
                throw Refusal(.badValue, "a control character is no part of a property's name")
            }
            return text
        }
    }
}

extension ValueReader where Value == Int {
    /// Hours and minutes, `HH:MM`, as a minute of the day.
    fileprivate static var timeOfDay: ValueReader<Int> {
        ValueReader<String>.text("a time of day such as \"02:30\"").map { text throws(Refusal) in
            let parts = text.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count == 2, parts.allSatisfy({ $0.utf8.count == 2 }),
                text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x3a }), let hour = Int(parts[0]),
                let minute = Int(parts[1]), hour < 24, minute < 60
            else {
                throw Refusal(
                    .badValue,
                    "\"\(text)\" is no time of day (expected such as \"02:30\")"
                )
            }
            return hour * 60 + minute
        }
    }
}

extension DaemonConfiguration.Document {
    /// What is wrong with `accept_history`, once the cohorts are known.
    ///
    /// - Parameters:
    ///   - cohorts: The ids of all cohorts.
    ///   - flags: The values of `--accept-history`.
    /// - Returns: A problem for each id that names no cohort.
    package func acceptHistoryProblems(
        cohorts: [String],
        flags: [String] = []
    ) -> [ConfigurationProblem] {
        func text(_ id: String) -> String? {
            guard !cohorts.contains(id) else { return nil }
            let hint = Suggestion.nearest(to: id, among: cohorts).map {
                " (did you mean \"\($0)\"?)"
            }
            return "there is no cohort \"\(id)\"\(hint ?? "")"
        }
        var problems: [ConfigurationProblem] = []
        for (index, id) in configuration.acceptHistory.enumerated() {
            guard let text = text(id) else { continue }
            problems.append(places.problem(.unknownID, at: "accept_history[\(index)]", text))
        }
        for id in flags {
            guard let text = text(id) else { continue }
            let place = ConfigurationProblem.Place.flag("--accept-history \(id)")
            problems.append(ConfigurationProblem(place: place, code: .unknownID, text: text))
        }
        return problems
    }
}
