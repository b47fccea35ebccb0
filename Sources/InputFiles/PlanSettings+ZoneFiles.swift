package import Cohorts

extension PlanSettings {
    /// Settings for definitions and their zones, whose rules are read from this machine's files.
    ///
    /// All of the zones exist: definitions and configuration are refused otherwise.
    package init(for definitions: [Definition], inactiveEvents: [String], defaultZone: String) {
        self.init(
            inactiveEvents: Set(inactiveEvents),
            defaultZone: defaultZone,
            zones: ZoneFiles.rules(for: definitions, defaultZone: defaultZone)
        )
    }
}
