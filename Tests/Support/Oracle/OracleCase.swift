import Basics

/// A random history with random definitions and ticks: small alphabets, so that equal times, ties, edges of
/// windows and repeated ids are frequent.
package struct OracleCase: Sendable {
    /// What to leave out, for laws that hold only without it.
    package struct Limits: Sendable {
        /// Equal arrivals, no insert ids, no two assignments of one user at one time: the order of lines
        /// then decides nothing.
        package var orderFree = false

        /// Nothing is left out.
        package init() {}
    }

    /// What it was made from.
    package let seed: UInt64
    /// In an order in which a reference may come before what it refers to.
    package var definitions: [OracleDefinition] = []
    /// In file order.
    package var lines: [OracleLine] = []
    /// How it is replayed.
    package var settings = OracleSettings()
    /// How many lines stand together in a batch, from the first line on; 1 = a line of its own.
    package var batches: [Int] = []

    /// The case of a seed; the same on every machine.
    package init(seed: UInt64, limits: Limits = Limits()) {
        self.seed = seed
        var generator = SeededGenerator(seed: seed)
        var history = OracleHistoryGenerator(limits: limits, &generator)
        settings = history.settings(&generator)
        lines = history.lines(settings, &generator)
        settings.ticks = history.ticks(lines, settings, &generator)
        var writer = OracleDefinitionGenerator(
            scene: history.scene,
            guide: OracleGuide(lines, settings)
        )
        definitions = writer.definitions(&generator)
        settings.uploads = history.uploads(to: definitions, &generator)
        var rest = lines.count
        while rest > 0 {
            let count = min(rest, generator.chance(percent: 85) ? 1 : generator.number(in: 1...4))
            batches.append(count)
            rest -= count
        }
    }

    /// The definitions as one YAML file.
    package var yaml: String { definitions.map(\.yaml).joined(separator: "---\n") }

    /// The events as JSON Lines.
    package var jsonLines: [String] {
        var texts: [String] = []
        var next = 0
        for count in batches {
            let part = lines[next..<(next + count)].map(\.json)
            next += count
            texts.append(count == 1 ? part[0] : "{\"events\":[\(part.joined(separator: ","))]}")
        }
        return texts
    }

    /// Everything a person needs to look at it.
    package var description: String {
        """
        seed \(seed), \(settings)
        --- definitions
        \(yaml)
        --- events
        \(jsonLines.joined(separator: "\n"))
        """
    }
}
