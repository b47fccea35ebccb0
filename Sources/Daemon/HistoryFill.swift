import Basics
import Kafka

/// History of a partition that is read again beside what is new, for cohorts that look at what the snapshot did not keep.
struct HistoryFill: Sendable {
    /// Where it began.
    let from: Offset
    /// Behind the last record that the snapshot was made from.
    let until: Offset
    /// What comes next.
    var next: Offset
    /// Whether it is known that Kafka still has what the cohorts look at.
    var isChecked = false
    /// Why it does not go on; nil where it does.
    var problem: String?
    /// The cohorts, by index, that have everything, and which the next tick looks at.
    var joining: Set<Int> = []

    /// How much of it is read, 0…100.
    var percent: Int {
        until > from ? Int(min(100, max(0, (next - from) * 100 / (until - from)))) : 100
    }
}
