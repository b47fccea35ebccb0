import Basics
import Kafka

/// Why Kafka gives us nothing at the moment: what `/readyz` says of it.
///
/// Plain: the reports of the partitions are handed in, and the time, by the clock that never jumps.
struct KafkaTrouble {
    /// What kept the clients from talking with a broker, where that is more than that none answers.
    private var connection: (text: String, at: Int64)?
    /// What was refused us of the group or its topic.
    private var refusal: (text: String, at: Int64)?
    /// Since when we have not all partitions.
    private var missingSince: Int64?
    /// Since when the ends of the partitions cannot be learnt, and why.
    private var ends: (text: String, since: Int64)?
    /// Where the partitions stand that wait for records, and since when.
    private var waits: [PartitionID: (position: LogPosition, since: Int64)] = [:]
    private var stalled: Set<PartitionID> = []

    /// How long ticks fail before it is told: one answer that comes late is no news.
    static let toleratedMilliseconds: Int64 = 5000
    /// How long a partition gets nothing, though there is something, before it is told.
    static let stalledMilliseconds: Int64 = 60_000
    /// How long before partitions are taken what is refused may be the cause of it.
    private static let causeMilliseconds: Int64 = 10_000

    /// A client met trouble that belongs to no partition.
    mutating func met(_ error: KafkaError, at now: Int64) {
        switch error.kind {
        case .authorization: refusal = (error.text, now)
        case .authentication, .damagedBatch, .unsupported:
            connection = (Self.withoutTimes(error.text), now)
        case .transport where error.codeName == "_SSL":
            connection = (Self.withoutTimes(error.text), now)
        default: break
        }
    }

    /// The ends of the partitions were learnt.
    mutating func ticked() {
        ends = nil
    }

    /// They were not.
    mutating func tickFailed(_ error: KafkaError, at now: Int64) {
        ends = (error.text, ends?.since ?? now)
    }

    /// Looks at the partitions.
    ///
    /// - Parameters:
    ///   - reports: Those of all partitions.
    ///   - isFlowing: Whether records could come: a broker answers, and nothing holds them back here.
    ///   - now: By the clock that never jumps.
    /// - Returns: Those that get nothing though there is something, each once while it lasts.
    mutating func look(
        at reports: [PartitionReport],
        isFlowing: Bool,
        now: Int64
    ) -> [PartitionReport] {
        var news: [PartitionReport] = []
        for report in reports {
            let partition = report.partition
            // Where it is known why nothing comes, that is the matter.
            guard isFlowing, ends == nil, report.awaitsRecords, report.trouble == nil else {
                waits[partition] = nil
                stalled.remove(partition)
                continue
            }
            let since: Int64
            if let known = waits[partition], known.position == report.position {
                since = known.since
            } else {
                since = now
                stalled.remove(partition)
            }
            waits[partition] = (report.position, since)
            guard now - since >= Self.stalledMilliseconds else { continue }
            if stalled.insert(partition).inserted { news.append(report) }
        }
        return news
    }

    /// What `/readyz` says while the daemon runs.
    ///
    /// - Parameters:
    ///   - reachability: That of the consumer.
    ///   - missing: How many of the partitions the group has not given us.
    ///   - reports: Those of all partitions.
    ///   - now: By the clock that never jumps.
    /// - Returns: A reason each, in a fixed order; none where Kafka gives us all there is.
    func reasons(
        _ reachability: Reachability,
        missing: Int,
        reports: [PartitionReport],
        now: Int64
    ) -> [String] {
        var reasons: [String] = []
        if !reachability.isReachable {
            reasons.append(unreachable(since: reachability.lastAnswerMilliseconds))
        } else if let ends, now - ends.since >= Self.toleratedMilliseconds {
            reasons.append("ticks wait for Kafka: \(ends.text)")
        }
        if missing > 0 {
            var reason =
                "joining the consumer group: \(missing) of \(reports.count) partitions to come"
            if let refusal, let missingSince, refusal.at >= missingSince - Self.causeMilliseconds {
                reason += ": \(refusal.text)"
            }
            reasons.append(reason)
        }
        for report in reports where report.awaitsRecords {
            if let trouble = report.trouble {
                reasons.append("partition \(report.partition) waits for Kafka: \(trouble.text)")
            } else if stalled.contains(report.partition) {
                reasons.append(Self.stall(report))
            }
        }
        return reasons
    }

    /// That nobody answers, and why where that is known.
    func unreachable(since lastAnswer: Int64?) -> String {
        guard let connection, connection.at >= lastAnswer ?? 0 else { return "kafka unreachable" }
        return "kafka unreachable: \(connection.text)"
    }

    /// So many of the partitions are not ours.
    mutating func misses(_ count: Int, at now: Int64) {
        if count == 0 {
            if missingSince != nil { refusal = nil }
            missingSince = nil
        } else if missingSince == nil {
            missingSince = now
        }
    }

    /// What the matter is with a partition that gets nothing.
    static func stall(_ report: PartitionReport) -> String {
        "partition \(report.partition) gets nothing from Kafka at offset \(report.offset), though it has"
            + " records up to \(report.endOffset ?? report.offset)"
    }

    /// The client's text without the times and counts at its end, which differ each time.
    private static func withoutTimes(_ text: String) -> String {
        text.firstRange(of: " (after ").map { String(text[..<$0.lowerBound]) } ?? text
    }
}
