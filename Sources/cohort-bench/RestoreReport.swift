import Basics

/// How long it took until stored users were there again.
struct RestoreReport {
    /// One process that opened the logs.
    struct Round {
        var users = 0
        var bytes = 0
        /// Reading the same files and doing nothing with them.
        var readSeconds = 0.0
        var seconds = 0.0
        var cpuSeconds = 0.0
        /// The first tick, which looks at whom it is due for.
        var tickSeconds = 0.0
    }

    let threads: Int
    let partitions: Int
    var rounds: [Round] = []

    /// Takes over what a process printed as JSON.
    mutating func add(_ json: String) {
        var numbers: [String: Double] = [:]
        Array(json.utf8).withByteView { view in
            var members = JSONMembers(view)
            while let (name, value) = members.next() { numbers[name.string] = Double(value.string) }
        }
        var round = Round()
        round.users = Int(numbers["users"] ?? 0)
        round.bytes = Int(numbers["bytes"] ?? 0)
        round.readSeconds = numbers["read_seconds"] ?? 0
        round.seconds = numbers["seconds"] ?? 0
        round.cpuSeconds = numbers["cpu_seconds"] ?? 0
        round.tickSeconds = numbers["first_tick_seconds"] ?? 0
        rounds.append(round)
    }

    private func median(_ value: (Round) -> Double) -> Double {
        ReportText.quantile(0.5, of: rounds.map(value).sorted())
    }

    private func list(_ value: (Round) -> Double) -> String {
        rounds.map { ReportText.fixed(value($0)) }.joined(separator: " ")
    }

    private var ratio: Double { median { $0.readSeconds > 0 ? $0.seconds / $0.readSeconds : 0 } }

    /// For people.
    var text: String {
        let (users, bytes) = (rounds.first?.users ?? 0, rounds.first?.bytes ?? 0)
        return ReportText.table([
            ("users", "\(users) in \(partitions) partitions, \(bytes) bytes of logs"),
            (
                "ready after",
                "\(ReportText.fixed(median { $0.seconds })) s, \(threads) threads, "
                    + "\(ReportText.fixed(median { $0.cpuSeconds })) s of CPU: \(list { $0.seconds })"
            ),
            (
                "against",
                "\(ReportText.fixed(median { $0.readSeconds })) s to read the files alone: "
                    + list { $0.readSeconds }
            ),
            ("ratio", ReportText.fixed(ratio)),
            (
                "first tick",
                "\(ReportText.fixed(median { $0.tickSeconds })) s more: \(list { $0.tickSeconds })"
            ),
        ])
    }

    /// For programs: one object, one line.
    var json: String {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("users", rounds.first?.users ?? 0)
        writer.member("partitions", partitions)
        writer.member("threads", threads)
        writer.member("bytes", rounds.first?.bytes ?? 0)
        ReportText.member("seconds", median { $0.seconds }, to: &writer)
        ReportText.member("cpu_seconds", median { $0.cpuSeconds }, to: &writer)
        ReportText.member("read_seconds", median { $0.readSeconds }, to: &writer)
        ReportText.member("ratio", ratio, to: &writer)
        ReportText.member("first_tick_seconds", median { $0.tickSeconds }, to: &writer)
        writer.endObject()
        writer.newline()
        return writer.string
    }
}
