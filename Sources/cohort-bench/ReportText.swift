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

    /// A number, not negative, with so many decimals.
    static func fixed(_ number: Double, places: Int = 3) -> String {
        var scale = 1
        for _ in 0..<places { scale *= 10 }
        let scaled = Int((number * Double(scale)).rounded())
        let rest = String(scaled % scale)
        return "\(scaled / scale)." + String(repeating: "0", count: places - rest.count) + rest
    }
}
