import Basics

/// What ticks cost.
struct TickReport {
    let sizes: TickBench.Sizes
    let figures: TickBench.Figures

    /// What is wrong with the ticks, so that their figures mean nothing; nil where nothing is.
    var objection: String? {
        for timing in figures.midnight.timings where timing.flips != figures.midnight.users {
            return "\(timing.flips) enters and exits at midnight, "
                + "but \(figures.midnight.users) users leave"
        }
        for timing in figures.full.timings where timing.flips != 0 {
            return "\(timing.flips) enters and exits of users of whom nothing changed"
        }
        return nil
    }

    /// For people.
    var text: String {
        var rows: [(String, String)] = [
            (
                "users",
                "\(sizes.users), \(figures.cohorts) cohorts, \(sizes.history + 1) events each before "
                    + "the first tick"
            ), ("slices", "of \(sizes.slice) users"),
        ]
        for (name, series) in [
            ("touched", figures.touched), ("midnight", figures.midnight),
            ("everyone", figures.full),
        ] {
            for (row, text) in zip([name, "", "- pause"], series.rows) { rows.append((row, text)) }
        }
        return ReportText.table(rows)
    }

    /// For programs: one object, one line.
    var json: String {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("users", sizes.users)
        writer.member("cohorts", figures.cohorts)
        writer.member("history", sizes.history)
        writer.member("slice", sizes.slice)
        figures.touched.write("touched", to: &writer)
        figures.midnight.write("midnight", to: &writer)
        figures.full.write("everyone", to: &writer)
        writer.endObject()
        writer.newline()
        return writer.string
    }
}
