import Basics

/// What reports of benchmarks have in common.
enum ReportText {
    /// Names and values, one pair a line.
    static func table(_ rows: [(String, String)]) -> String {
        rows.map { name, value in
            name + String(repeating: " ", count: 16 - name.count) + value + "\n"
        }.joined()
    }

    /// The smallest of some ascending values that so large a share of them does not exceed; 0 of none.
    static func quantile(_ share: Double, of values: [Double]) -> Double {
        guard let last = values.last else { return 0 }
        let index = Int((Double(values.count) * share).rounded(.up)) - 1
        return index < 0 ? last : values[index]
    }

    /// Writes a number with six decimals at most.
    static func member(_ name: String, _ number: Double, to writer: inout JSONWriter) {
        writer.key(name)
        writer.value((number * 1e6).rounded() / 1e6)
    }

    /// A number with three decimals.
    static func fixed(_ number: Double) -> String {
        let thousandths = Int((number * 1000).rounded())
        let rest = String(thousandths % 1000)
        return "\(thousandths / 1000)." + String(repeating: "0", count: 3 - rest.count) + rest
    }
}
