import Arguments
import Basics

/// `cohort-bench tick`.
struct TickCommand {
    private let sizes: TickBench.Sizes
    private let seed: Int
    private let asJSON: Bool

    /// Reads the arguments.
    init(_ arguments: ParsedArguments) throws(BenchStatus) {
        var sizes = TickBench.Sizes()
        sizes.users = try arguments.number("--users", sizes.users, in: 2...50_000_000)
        sizes.history = try arguments.number("--history", sizes.history, in: 0...1000)
        sizes.touched = try arguments.number("--touched", sizes.touched, in: 1...50_000_000)
        sizes.ticks = try arguments.number("--ticks", sizes.ticks, in: 1...600)
        sizes.repetitions = try arguments.number("--repeat", sizes.repetitions, in: 1...10)
        sizes.slice = try arguments.number("--slice", sizes.slice, in: 1...50_000_000)
        if sizes.touched > sizes.users {
            throw arguments.usage(
                "--touched \(sizes.touched): there are \(sizes.users) users (--users)"
            )
        }
        self.sizes = sizes
        seed = try arguments.number("--seed", 42, in: 0...Int.max)
        asJSON = try arguments.asksForJSON()
    }

    func run() throws(BenchStatus) {
        var bench = TickBench(sizes, seed: UInt64(seed))
        let report = TickReport(sizes: sizes, figures: bench.run())
        try printOutput(asJSON ? report.json : report.text)
        if let objection = report.objection {
            printError("cohort-bench tick: \(objection)")
            throw .unexpected
        }
    }
}
