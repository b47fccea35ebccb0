/// What a program that only parses events says of itself.
///
/// A line for each mode and repetition:
/// `mode per-line,walk-all: 2000000 events 1.551s 1289477 events/s 0.36 GB/s (chk …)`.
struct ParserOutput: Equatable {
    /// The mode that does what a consumer must: a line at a time, its members in any order.
    static let mode = "per-line,walk-all"

    /// How many events it read.
    var events: Int
    /// The better of the mode's repetitions.
    var eventsPerSecond: Double

    /// Reads what the program wrote; nil where no line of it tells of the mode.
    init?(_ output: String) {
        var best: ParserOutput?
        for line in output.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count >= 7, words[0] == "mode", words[1] == Self.mode + ":",
                words[3] == "events", words[6] == "events/s", let events = Int(words[2]),
                let rate = Double(words[5]), rate.isFinite, rate > 0
            else { continue }
            if rate > best?.eventsPerSecond ?? 0 {
                best = ParserOutput(events: events, eventsPerSecond: rate)
            }
        }
        guard let best else { return nil }
        self = best
    }

    init(events: Int, eventsPerSecond: Double) {
        self.events = events
        self.eventsPerSecond = eventsPerSecond
    }
}
