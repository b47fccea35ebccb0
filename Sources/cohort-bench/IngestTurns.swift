import Basics

/// Runs of `ingest`, in turns with a program that only parses.
struct IngestTurns {
    let events: String
    let cohorts: [String]
    let options: ReplayOptions
    /// Further words for each run of ours.
    let more: [String]
    /// The program; nil = ours alone.
    let program: String?
    let repetitions: Int

    /// Runs one after the other, the program first.
    func run() throws(BenchStatus) -> IngestTurnsReport {
        var report = IngestTurnsReport(program: program)
        for _ in 0..<repetitions {
            if let program { report.parsed(try parse(program)) }
            report.ingested(try options.ingest(events, cohorts: cohorts, more: more))
        }
        return report
    }

    private func parse(_ program: String) throws(BenchStatus) -> ParserOutput {
        let (output, ending) = try ChildProcess.run(program, [events])
        guard ending == .exited(0) else {
            let how =
                switch ending {
                case .exited(let status): "ended with status \(status)"
                case .killed(let signal): "was ended by signal \(signal)"
                }
            printError("cohort-bench: \(program) \(events) \(how)")
            throw .programFailed
        }
        guard let parsed = ParserOutput(String(decoding: output, as: UTF8.self)) else {
            printError(
                """
                cohort-bench: \(program) \(events) printed no line \
                'mode \(ParserOutput.mode): N events … s N events/s'
                """
            )
            throw .programFailed
        }
        return parsed
    }
}
