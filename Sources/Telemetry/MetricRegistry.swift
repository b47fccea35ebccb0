import Basics
import Synchronization

/// The values behind `/metrics`.
///
/// Any thread may call it, but never per event: the threads of the engine count for themselves and publish
/// once per batch with ``update(_:)``, which takes the lock once. Families with no value yet are not shown,
/// except that counters whose labels are all closed sets start at 0.
package final class MetricRegistry: Sendable {
    /// The values of all families; what ``MetricRegistry/update(_:)`` lends.
    package struct Values: Sendable {
        fileprivate struct Series: Sendable {
            var value = 0.0
            /// Per bound, not cumulative, with one more for what is beyond the last.
            var buckets: [UInt64] = []
            var count: UInt64 = 0
        }

        fileprivate var series: [[[String]: Series]]

        fileprivate init() {
            series = Array(repeating: [:], count: Metric.allCases.count)
            for metric in Metric.allCases where metric.family.kind == .counter {
                let sets = metric.family.labels.map(\.values)
                guard sets.count == 1, let values = sets[0] else { continue }
                for value in values { series[metric.rawValue][[value]] = Series() }
            }
        }

        /// Sets a gauge, or a counter whose total is kept elsewhere.
        package mutating func set(_ metric: Metric, _ labels: [String] = [], to value: Double) {
            check(metric, labels)
            series[metric.rawValue][labels, default: Series()].value = value
        }

        /// Adds to a counter or a gauge; a counter only grows.
        package mutating func add(_ metric: Metric, _ labels: [String] = [], by amount: Double = 1)
        {
            check(metric, labels)
            precondition(
                amount >= 0 || metric.family.kind == .gauge,
                "\(metric) is a counter, got \(amount)"
            )
            series[metric.rawValue][labels, default: Series()].value += amount
        }

        /// Puts one value into a histogram.
        package mutating func observe(_ metric: Metric, _ labels: [String] = [], value: Double) {
            check(metric, labels)
            guard case .histogram(let bounds) = metric.family.kind else {
                preconditionFailure("\(metric) is no histogram")
            }
            var known = series[metric.rawValue][labels] ?? Series()
            if known.buckets.isEmpty {
                known.buckets = Array(repeating: 0, count: bounds.count + 1)
            }
            known.buckets[bounds.firstIndex { value <= $0 } ?? bounds.count] += 1
            known.count += 1
            known.value += value
            series[metric.rawValue][labels] = known
        }

        /// Sets one value of a closed label to 1 and its others to 0, as states are shown.
        ///
        /// The closed label is the last one; `labels` are those before it.
        package mutating func setState(_ metric: Metric, _ labels: [String], to state: String) {
            guard let states = metric.family.labels.last?.values else {
                preconditionFailure("\(metric) has no closed label")
            }
            precondition(states.contains(state), "\(metric) has no state \(state)")
            for other in states { set(metric, labels + [other], to: other == state ? 1 : 0) }
        }

        /// Forgets the series that begin with these label values: a partition given away, a removed cohort.
        package mutating func remove(_ metric: Metric, prefix labels: [String]) {
            series[metric.rawValue] = series[metric.rawValue].filter {
                !$0.key.starts(with: labels)
            }
        }

        /// The value of a series, for tests and status pages; nil if it has none.
        package func value(_ metric: Metric, _ labels: [String] = []) -> Double? {
            series[metric.rawValue][labels]?.value
        }

        private func check(_ metric: Metric, _ labels: [String]) {
            let family = metric.family
            precondition(
                labels.count == family.labels.count,
                "\(family.name) has \(family.labels.count) labels, got \(labels)"
            )
            for (label, value) in zip(family.labels, labels) {
                guard let values = label.values else { continue }
                precondition(values.contains(value), "\(family.name) has no \(label.name)=\(value)")
            }
        }
    }

    private let values = Mutex(Values())

    /// A registry with no values.
    package init() {}

    /// Lends the values under the lock: publish a whole batch in one call, compute nothing in it.
    package func update(_ body: (inout Values) -> Void) {
        values.withLock { body(&$0) }
    }

    /// A copy of the values.
    package var snapshot: Values {
        values.withLock { $0 }
    }

    /// The text of `/metrics`: Prometheus text exposition format 0.0.4.
    ///
    /// Content type: ``contentType``. The text is made outside the lock.
    package func rendered() -> [UInt8] {
        let values = snapshot
        var bytes: [UInt8] = []
        for metric in Metric.allCases where !values.series[metric.rawValue].isEmpty {
            append(metric.family, values.series[metric.rawValue], to: &bytes)
        }
        return bytes
    }

    /// The content type of ``rendered()``.
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    private func append(
        _ family: Metric.Family,
        _ series: [[String]: Values.Series],
        to bytes: inout [UInt8]
    ) {
        let kind =
            switch family.kind {
            case .counter: "counter"
            case .gauge: "gauge"
            case .histogram: "histogram"
            }
        bytes.append(
            contentsOf: "# HELP \(family.name) \(escaped(family.help, quotes: false))\n".utf8
        )
        bytes.append(contentsOf: "# TYPE \(family.name) \(kind)\n".utf8)
        for (labels, value) in series.sorted(by: { precedes($0.key, $1.key, family) }) {
            let pairs = zip(family.labels, labels).map {
                "\($0.name)=\"\(escaped($1, quotes: true))\""
            }
            func line(_ suffix: String, _ pairs: [String], _ value: String) {
                let labels = pairs.isEmpty ? "" : "{\(pairs.joined(separator: ","))}"
                bytes.append(contentsOf: "\(family.name)\(suffix)\(labels) \(value)\n".utf8)
            }
            guard case .histogram(let bounds) = family.kind else {
                line("", pairs, text(value.value))
                continue
            }
            var cumulated: UInt64 = 0
            for (bound, count) in zip(bounds, value.buckets) {
                cumulated += count
                line("_bucket", pairs + ["le=\"\(text(bound))\""], "\(cumulated)")
            }
            line("_bucket", pairs + ["le=\"+Inf\""], "\(value.count)")
            line("_sum", pairs, text(value.value))
            line("_count", pairs, "\(value.count)")
        }
    }

    /// Partitions in the order of their numbers, everything else by bytes.
    private func precedes(_ left: [String], _ right: [String], _ family: Metric.Family) -> Bool {
        for (index, (left, right)) in zip(left, right).enumerated() where left != right {
            if family.labels[index] == .partition, let left = Int(left), let right = Int(right) {
                return left < right
            }
            return left.precedesByBytes(right)
        }
        return false
    }

    /// Integers without a point, everything else in the shortest form that reads back.
    private func text(_ number: Double) -> String {
        if number.isNaN { return "NaN" }
        if number.isInfinite { return number > 0 ? "+Inf" : "-Inf" }
        if number == number.rounded(), abs(number) < 9e15 { return "\(Int64(number))" }
        return "\(number)"
    }

    private func escaped(_ text: String, quotes: Bool) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\"" where quotes: result += "\\\""
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
