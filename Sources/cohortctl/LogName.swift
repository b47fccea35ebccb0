import Basics

/// `TOPIC` or `TOPIC/P` of a command line; names of topics hold no slash.
struct LogName {
    let topic: String
    /// Nil for all of them.
    let partition: PartitionID?

    /// Reads one; what is wrong with it is said.
    init(_ text: String) throws(ExitStatus) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        topic = String(parts[0])
        partition = parts.count == 2 ? PartitionID(parts[1]) : nil
        guard !topic.isEmpty, parts.count == 1 || partition.map({ $0 >= 0 }) ?? false else {
            printError(
                "cohortctl: \(text): a topic or one of its partitions is expected, as events/3"
            )
            throw .usage
        }
    }

    /// As parameters of a query.
    var query: String {
        "topic=\(PercentEncoding.segment(topic))" + (partition.map { "&partition=\($0)" } ?? "")
    }
}
