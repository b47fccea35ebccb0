/// Decides by how much memory the process has whether events are read.
///
/// Plain: what was measured is handed in. State is never thrown away to make room, so all that can be done is to read
/// nothing more: events wait in Kafka, time stands still for partitions that have some, and nobody leaves.
struct MemoryGuard {
    /// How much is left.
    enum Level: Comparable {
        case normal
        /// A person should look.
        case high
        /// Nothing is read.
        case critical
    }

    /// From which share of the limit on a level begins, in percent.
    static let highPercent: Int64 = 85
    static let criticalPercent: Int64 = 95
    /// By how much it must fall below that for the level to end, so that none comes and goes with every batch.
    static let slackPercent: Int64 = 5

    /// As of the last look.
    private(set) var level = Level.normal
    /// What was looked at last, in bytes.
    private(set) var bytes: Int64 = 0
    private(set) var bytesMax: Int64 = 0

    /// Takes a look; what is not known, or not limited, is enough.
    mutating func look(bytes: Int64?, max: Int64?) {
        guard let bytes, let max, max > 0 else {
            level = .normal
            return
        }
        self.bytes = bytes
        bytesMax = max
        if isAtLeast(Self.criticalPercent, ending: level == .critical) {
            level = .critical
        } else if isAtLeast(Self.highPercent, ending: level >= .high) {
            level = .high
        } else {
            level = .normal
        }
    }

    private func isAtLeast(_ percent: Int64, ending isWithin: Bool) -> Bool {
        // In floating point: a limit may be as large as 2^60.
        let share = Double(bytes) / Double(bytesMax) * 100
        return share >= Double(isWithin ? percent - Self.slackPercent : percent)
    }

    /// Why nothing is read; nil while something is.
    var reason: String? {
        level == .critical
            ? "memory: \(use); nothing is read until it is below \(Self.criticalPercent - Self.slackPercent) %"
            : nil
    }

    /// `97 % of 512 MiB is used`.
    var use: String {
        let percent = bytesMax > 0 ? Int64(Double(bytes) / Double(bytesMax) * 100) : 0
        return "\(percent) % of \(bytesMax >> 20) MiB is used"
    }
}
