import Arguments

// What the commands of cohort-bench read alike.

extension ParsedArguments {
    /// Whether the report is for programs.
    func asksForJSON() throws(BenchStatus) -> Bool {
        switch value("--output") {
        case nil, "text": return false
        case "json": return true
        case .some(let other): throw usage("--output \(other): text or json is expected")
        }
    }

    /// The number that an option gives.
    func number(
        _ option: String,
        _ fallback: Int,
        in range: ClosedRange<Int>
    ) throws(BenchStatus) -> Int {
        guard let text = value(option) else { return fallback }
        guard let number = Int(text), range.contains(number) else {
            throw usage(
                "\(option) \(text): a number from \(range.lowerBound) to \(range.upperBound) is expected"
            )
        }
        return number
    }

    /// Says what is wrong with the arguments.
    func usage(_ text: String) -> BenchStatus {
        let program = (["cohort-bench"] + command).joined(separator: " ")
        printError("\(program): \(text); see \(program) --help")
        return .usage
    }
}
