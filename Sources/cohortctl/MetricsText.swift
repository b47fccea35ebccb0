/// What `/metrics` says, by name and labels.
///
/// Source: Prometheus text exposition format 0.0.4.
struct MetricsText {
    /// A value with what it is told of.
    struct Sample {
        var name: String
        var labels: [String: String]
        var value: Double
    }

    private let samples: [String: [Sample]]

    /// Reads the text; nil where it is none of this format.
    init?(_ text: [UInt8]) {
        var samples: [String: [Sample]] = [:]
        for line in text.split(separator: UInt8(ascii: "\n")) where line.first != UInt8(ascii: "#")
        {
            guard let sample = Self.sample(line) else { return nil }
            samples[sample.name, default: []].append(sample)
        }
        self.samples = samples
    }

    /// All values of a metric whose name is `cohortd_` and this.
    func all(_ name: String) -> [Sample] { samples["cohortd_" + name] ?? [] }

    /// The sum of those values that have these labels; nil where there is none.
    func sum(_ name: String, _ labels: [String: String] = [:]) -> Double? {
        let fitting = all(name).filter { sample in
            labels.allSatisfy { sample.labels[$0.key] == $0.value }
        }
        return fitting.isEmpty ? nil : fitting.reduce(0) { $0 + $1.value }
    }

    private static func sample(_ line: ArraySlice<UInt8>) -> Sample? {
        let isName = { (byte: UInt8) in byte != UInt8(ascii: "{") && byte != UInt8(ascii: " ") }
        let name = line.prefix(while: isName)
        var rest = line[name.endIndex...]
        var labels: [String: String] = [:]
        if rest.first == UInt8(ascii: "{") {
            rest = rest.dropFirst()
            while let byte = rest.first, byte != UInt8(ascii: "}") {
                guard let (key, value) = label(&rest) else { return nil }
                labels[key] = value
                if rest.first == UInt8(ascii: ",") { rest = rest.dropFirst() }
            }
            guard rest.first == UInt8(ascii: "}") else { return nil }
            rest = rest.dropFirst()
        }
        guard !name.isEmpty, rest.first == UInt8(ascii: " ") else { return nil }
        // Swift reads "+Inf" and "NaN" as Prometheus writes them.
        guard let value = Double(String(decoding: rest.dropFirst(), as: UTF8.self)) else {
            return nil
        }
        return Sample(name: String(decoding: name, as: UTF8.self), labels: labels, value: value)
    }

    /// Takes `key="value"` off the front.
    private static func label(_ rest: inout ArraySlice<UInt8>) -> (String, String)? {
        guard let equals = rest.firstIndex(of: UInt8(ascii: "=")),
            rest[(equals + 1)...].first == UInt8(ascii: "\"")
        else { return nil }
        let key = String(decoding: rest[..<equals], as: UTF8.self)
        var value: [UInt8] = []
        var index = equals + 2
        while index < rest.endIndex {
            switch rest[index] {
            case UInt8(ascii: "\""):
                rest = rest[(index + 1)...]
                return (key, String(decoding: value, as: UTF8.self))
            case UInt8(ascii: "\\") where index + 1 < rest.endIndex:
                index += 1
                value.append(rest[index] == UInt8(ascii: "n") ? UInt8(ascii: "\n") : rest[index])
            default: value.append(rest[index])
            }
            index += 1
        }
        return nil
    }
}
