/// What a program that reads a topic and drops it says of itself: the line that ends
/// `consumed 2000000 msgs 556.7 MB in 1.05s = 1904761 msgs/s wall; cpu 1.02s = 1960784 msgs/s per core; …`.
struct ConsumeDiscard: Equatable {
    /// How many records it read.
    var records: Int
    /// By CPU time of the process.
    var recordsPerCPUSecond: Double

    /// Reads the output of the program; nil where no line of it says both.
    init?(output: String) {
        for line in output.split(separator: "\n") {
            guard let read = Self(line: line) else { continue }
            self = read
            return
        }
        return nil
    }

    private init?(line: Substring) {
        let words = line.split(separator: " ")
        guard words.count > 2, words[0] == "consumed", words[2] == "msgs",
            let records = Int(words[1]), let cpu = words.firstIndex(of: "cpu"),
            words.count > cpu + 3, words[cpu + 2] == "=",
            let rate = Double(words[cpu + 3]), rate > 0, rate.isFinite
        else { return nil }
        self.records = records
        recordsPerCPUSecond = rate
    }
}
