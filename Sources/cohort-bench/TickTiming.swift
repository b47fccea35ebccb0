import Basics

/// How long one tick took, in seconds of the thread's CPU time, and by the wall.
struct TickTiming {
    /// All stretches together.
    private(set) var total = Stretch()
    /// The longest stretch in which no event could be applied.
    private(set) var longest = Stretch()
    /// The stretch that begins the tick.
    private(set) var beginning = Stretch()
    /// Enters and exits.
    var flips = 0

    /// A stretch of time.
    struct Stretch {
        var cpu = 0.0
        var wall = 0.0
    }

    /// Times the beginning of the tick.
    mutating func begin(_ body: () -> Void) {
        beginning = time(body)
    }

    /// Times a slice of the tick.
    mutating func slice(_ body: () -> Void) { _ = time(body) }

    private mutating func time(_ body: () -> Void) -> Stretch {
        let wall = Meter.wall()
        let cpu = Meter.threadCPU()
        body()
        let stretch = Stretch(cpu: Meter.threadCPU() - cpu, wall: Meter.wall() - wall)
        total.cpu += stretch.cpu
        total.wall += stretch.wall
        longest.cpu = max(longest.cpu, stretch.cpu)
        longest.wall = max(longest.wall, stretch.wall)
        return stretch
    }
}

/// Ticks of one kind.
struct TickSeries {
    /// Users that each of them has to look at.
    let users: Int
    var timings: [TickTiming] = []

    /// Milliseconds of something about each tick, ascending.
    func milliseconds(_ seconds: (TickTiming) -> Double) -> [Double] {
        timings.map { seconds($0) * 1000 }.sorted()
    }

    /// The time that 99 of 100 ticks do not exceed, in milliseconds; of fewer than a hundred the longest.
    var figure: Double { ReportText.quantile(0.99, of: milliseconds { $0.total.cpu }) }

    /// Microseconds a user.
    var ratio: Double { users > 0 ? figure * 1000 / Double(users) : 0 }

    /// Enters and exits of a user, on average.
    var flipsPerUser: Double {
        let looks = users * timings.count
        return looks > 0 ? Double(timings.reduce(0) { $0 + $1.flips }) / Double(looks) : 0
    }

    /// For people: how long, over how many users, and the pauses.
    var rows: [String] {
        let totals = milliseconds { $0.total.cpu }
        func longest(_ seconds: (TickTiming) -> Double) -> String {
            ReportText.fixed(milliseconds(seconds).last ?? 0)
        }
        return [
            "p99 \(ReportText.fixed(figure)) ms, p50 \(ReportText.fixed(ReportText.quantile(0.5, of: totals))) ms, max "
                + "\(ReportText.fixed(totals.last ?? 0)) ms of CPU over \(timings.count) ticks; max "
                + "\(longest { $0.total.wall }) ms by the wall",
            "\(users) users, \(ReportText.fixed(flipsPerUser)) flips each; \(ReportText.fixed(ratio)) us a user",
            "max \(longest { $0.longest.cpu }) ms of CPU, \(longest { $0.longest.wall }) ms by the wall; "
                + "beginning a tick max \(longest { $0.beginning.cpu }) ms",
        ]
    }

    /// Writes the figures as an object.
    func write(_ name: String, to writer: inout JSONWriter) {
        let totals = milliseconds { $0.total.cpu }
        let pauses = milliseconds { $0.longest.cpu }
        writer.key(name)
        writer.beginObject()
        ReportText.member("figure", figure, to: &writer)
        writer.member("denominator", users)
        ReportText.member("ratio", ratio, to: &writer)
        writer.member("unit", "ms of CPU, p99 of ticks; users; us a user")
        writer.member("ticks", timings.count)
        ReportText.member("flips_per_user", flipsPerUser, to: &writer)
        let figures: [(String, Double)] = [
            ("p50_ms", ReportText.quantile(0.5, of: totals)),
            ("p99_ms", figure),
            ("max_ms", totals.last ?? 0),
            ("max_wall_ms", milliseconds { $0.total.wall }.last ?? 0),
            ("pause_p99_ms", ReportText.quantile(0.99, of: pauses)),
            ("pause_max_ms", pauses.last ?? 0),
            ("pause_max_wall_ms", milliseconds { $0.longest.wall }.last ?? 0),
            ("begin_max_ms", milliseconds { $0.beginning.cpu }.last ?? 0),
        ]
        for (name, value) in figures { ReportText.member(name, value, to: &writer) }
        writer.endObject()
    }
}
