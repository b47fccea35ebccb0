import Basics

/// The same figure, taken several times; more is better.
struct Series {
    /// In the order in which they were taken.
    private(set) var values: [Double] = []

    mutating func append(_ value: Double) { values.append(value) }

    /// The largest; 0 of none.
    var best: Double { values.max() ?? 0 }

    /// The middle one, or the mean of the two in the middle; 0 of none.
    var median: Double {
        let sorted = values.sorted()
        guard !sorted.isEmpty else { return 0 }
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }

    /// `231004 events/s (best 240012)`; a single figure without the best.
    func text(_ unit: String) -> String {
        let middle = "\(Int(median.rounded())) \(unit)"
        return values.count > 1 ? middle + " (best \(Int(best.rounded())))" : middle
    }
}

/// A figure and what it is held against, taken in turns.
struct Ratio {
    var figure = Series()
    var denominator = Series()

    /// Of the medians; 0 where nothing was taken.
    var ofMedians: Double { Self.quotient(figure.median, denominator.median) }

    /// Of the best.
    var ofBest: Double { Self.quotient(figure.best, denominator.best) }

    /// `0.179 of the medians, 0.186 of the best`.
    var text: String {
        let medians = ReportText.fixed(ofMedians)
        guard figure.values.count > 1 else { return medians }
        return "\(medians) of the medians, \(ReportText.fixed(ofBest)) of the best"
    }

    /// Writes `figure`, `denominator` and `ratio`, the same of the best, and each single figure; of a figure that
    /// is held against nothing only that.
    func write(to writer: inout JSONWriter) {
        writer.member("figure", Int(figure.median.rounded()))
        writer.member("figure_best", Int(figure.best.rounded()))
        Self.write(figure, "figures", to: &writer)
        guard !denominator.values.isEmpty else { return }
        writer.member("denominator", Int(denominator.median.rounded()))
        writer.member("denominator_best", Int(denominator.best.rounded()))
        Self.write(denominator, "denominators", to: &writer)
        ReportText.member("ratio", ofMedians, to: &writer)
        ReportText.member("ratio_best", ofBest, to: &writer)
    }

    private static func write(_ series: Series, _ name: String, to writer: inout JSONWriter) {
        writer.key(name)
        writer.beginArray()
        for value in series.values { writer.value(Int(value.rounded())) }
        writer.endArray()
    }

    private static func quotient(_ figure: Double, _ denominator: Double) -> Double {
        denominator > 0 ? figure / denominator : 0
    }
}
