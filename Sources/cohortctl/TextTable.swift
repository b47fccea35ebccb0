/// What tables for people are made of.
enum TextTable {
    static func count(_ number: Int, _ noun: String) -> String {
        "\(number) \(noun)\(number == 1 ? "" : "s")"
    }

    /// `3s`, `12m`, `5h`, `3d`: one unit is enough to see what is wrong.
    static func age(seconds: Double) -> String {
        let whole = Int64(max(0, min(seconds, 1e12)))
        switch whole {
        case ..<120: return "\(whole)s"
        case ..<7200: return "\(whole / 60)m"
        case ..<172_800: return "\(whole / 3600)h"
        default: return "\(whole / 86_400)d"
        }
    }

    /// Columns as wide as their widest text; the last one is not filled up.
    static func rows(_ titles: [String], _ rows: [[String]], empty: String) -> [String] {
        if rows.isEmpty { return [empty] }
        let all = [titles] + rows.map { $0.map(shown) }
        let widths = titles.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        return all.map { row in
            row.enumerated().map { column, text in
                column == row.count - 1
                    ? text : text + String(repeating: " ", count: widths[column] - text.count)
            }.joined(separator: "  ")
        }
    }

    /// Control characters of a name as spaces, so that it cannot break a table or steer a terminal.
    static func shown(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 }
            )
        )
    }

    static func joined(_ lines: [String]) -> String {
        lines.joined(separator: "\n") + "\n"
    }
}
