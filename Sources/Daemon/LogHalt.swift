import Basics

/// Why a partition stands still, and what may be done about it.
struct LogHalt: Sendable {
    enum Cause: Equatable, Sendable {
        /// Kafka deleted what comes next: it has `first` to `end`.
        case gone(first: Offset, end: Offset)
        /// The log is another one than the state was made from, or was cut: it has `first` to `end`.
        case diverged(first: Offset, end: Offset)
        /// Kafka does not know the partition.
        case unknown
        /// The batch at the offset cannot be read; the next one begins at `next`, where that is known.
        case damaged(next: Offset?)
    }

    /// That of the events, or of the commands.
    let topic: String
    let partition: PartitionID
    /// The record that was to come next.
    let offset: Offset
    let cause: Cause
    /// What happened.
    let text: String

    /// What to do about it.
    var remedy: String {
        switch cause {
        case .gone(let first, _):
            "\(rebase) goes on at offset \(first) without what is gone, and holds back the exits of cohorts that look"
                + " back over it; kafka.on_gap: accept does so by itself"
        case .diverged(let first, _):
            "if that log is the right one, \(rebase) reads it from offset \(first) on (--at OFFSET: from another), and"
                + " holds back the exits of cohorts that look back over what is lost"
        case .unknown:
            "make the topic again, with as many partitions, then \(rebase)"
        case .damaged(let next?):
            "restore the batch and restart, or leave it out: cohortctl kafka skip \(topic)/\(partition)"
                + " \(offset)-\(next - 1); kafka.on_damage: skip does so by itself"
        case .damaged(nil):
            "restore the batch and restart, or find its last offset with kafka-dump-log.sh and leave it out:"
                + " cohortctl kafka skip \(topic)/\(partition) \(offset)-LAST"
        }
    }

    private var rebase: String { "cohortctl kafka rebase \(topic)/\(partition)" }
}
