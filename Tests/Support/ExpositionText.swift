/// A text of `/metrics`, read as strictly as the format is meant: what a scraper might forgive is refused.
///
/// Source: Prometheus text exposition format 0.0.4.
package struct ExpositionText {
    /// One line that is no comment.
    package struct Sample {
        /// The name, of a histogram with its suffix.
        package var name: String
        /// In the order in which they stand.
        package var labels: [(name: String, value: String)]
        /// The value.
        package var value: Double

        /// The value of a label.
        package func label(_ name: String) -> String? { labels.first { $0.name == name }?.value }
    }

    /// What one metric says.
    package struct Family {
        /// The name.
        package var name: String
        /// What HELP says.
        package var help: String
        /// What TYPE says.
        package var type: String
        /// In the order in which they stand.
        package var samples: [Sample] = []

        /// The names of the labels, `le` left out; the same for all samples.
        package var labelNames: [String] {
            samples.first?.labels.map(\.name).filter { $0 != "le" } ?? []
        }
    }

    /// A line that is not as it must be.
    package struct Malformed: Error, CustomStringConvertible {
        package let description: String
    }

    /// In the order in which they stand.
    package private(set) var families: [Family] = []

    /// Reads the text.
    package init(_ text: String) throws {
        guard text.hasSuffix("\n") else { throw Malformed(description: "no line feed at the end") }
        var seen: Set<String> = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
            do {
                try read(line, &seen)
            } catch let error as Malformed {
                throw Malformed(description: "\(error.description): \(line)")
            }
        }
        for family in families { try check(family) }
    }

    /// The family of that name.
    package func family(_ name: String) -> Family? { families.first { $0.name == name } }

    private mutating func read(_ line: Substring, _ seen: inout Set<String>) throws {
        if let match = line.wholeMatch(of: /# HELP ([a-z_]+) (.+)/) {
            let name = String(match.1)
            guard seen.insert("# \(name)").inserted else {
                throw Malformed(description: "a second family of the name")
            }
            families.append(Family(name: name, help: String(match.2), type: ""))
        } else if let match = line.wholeMatch(of: /# TYPE ([a-z_]+) (counter|gauge|histogram)/) {
            guard let last = families.indices.last, families[last].name == match.1,
                families[last].type.isEmpty
            else { throw Malformed(description: "TYPE does not follow HELP") }
            families[last].type = String(match.2)
        } else {
            guard let match = line.wholeMatch(of: /([a-z_]+)(?:\{(.+)\})? (\S+)/),
                let value = Double(match.3)
            else { throw Malformed(description: "no sample") }
            let sample = Sample(
                name: String(match.1),
                labels: try labels(match.2 ?? ""),
                value: value
            )
            guard let last = families.indices.last, families[last].takes(sample.name) else {
                throw Malformed(description: "it stands in another family")
            }
            guard seen.insert(String(line.prefix(line.count - match.3.count))).inserted else {
                throw Malformed(description: "a second time")
            }
            families[last].samples.append(sample)
        }
    }

    private func labels(_ text: Substring) throws -> [(name: String, value: String)] {
        var labels: [(name: String, value: String)] = []
        var rest = text
        while !rest.isEmpty {
            guard
                let match = rest.prefixMatch(
                    of: /([a-z_]+)="((?:[^"\\\n]|\\["\\n])*)"(?:,(?=[a-z]))?/
                )
            else { throw Malformed(description: "no label: \(rest)") }
            let value = match.2.replacing("\\n", with: "\n").replacing("\\\"", with: "\"")
                .replacing("\\\\", with: "\\")
            labels.append((String(match.1), String(value)))
            rest = rest[match.range.upperBound...]
        }
        return labels
    }

    private func check(_ family: Family) throws {
        func refuse(_ text: String) -> Malformed {
            Malformed(description: "\(family.name): \(text)")
        }
        if family.type.isEmpty || family.samples.isEmpty { throw refuse("no type or no value") }
        for sample in family.samples {
            guard sample.labels.map(\.name).filter({ $0 != "le" }) == family.labelNames else {
                throw refuse("labels differ")
            }
            if family.type != "gauge", !(sample.value >= 0 && sample.value.isFinite) {
                throw refuse("a \(family.type) of \(sample.value)")
            }
        }
        if (family.type == "counter") != family.name.hasSuffix("_total") {
            throw refuse("only counters end in _total")
        }
        if family.type == "histogram" { try checkHistogram(family, refuse) }
    }

    private func checkHistogram(_ family: Family, _ refuse: (String) -> Malformed) throws {
        let buckets = family.samples.filter { $0.name.hasSuffix("_bucket") }
        let bounds = buckets.compactMap { $0.label("le").flatMap(Double.init) }
        guard bounds.count == buckets.count, bounds == Set(bounds).sorted(),
            bounds.last == .infinity
        else { throw refuse("bounds \(bounds)") }
        let counts = buckets.map(\.value)
        guard counts == counts.sorted() else { throw refuse("counts \(counts)") }
        let total = family.samples.first { $0.name.hasSuffix("_count") }?.value
        guard total == counts.last, family.samples.contains(where: { $0.name.hasSuffix("_sum") })
        else { throw refuse("_count or _sum") }
    }
}

extension ExpositionText.Family {
    fileprivate func takes(_ sample: String) -> Bool {
        type == "histogram"
            ? ["_bucket", "_sum", "_count"].contains { sample == name + $0 } : sample == name
    }
}
