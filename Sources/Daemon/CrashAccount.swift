import Basics

/// Which records were in hand when the process ended without letting go of them, and how often in a row.
///
/// Plain: what was in hand is handed in. With several engine threads the innocent are in hand beside the guilty one, but
/// not the same ones each time, since only the guilty one ends the process where it is met. So the suspects are those
/// that were in hand at every end since the first.
struct CrashAccount: Equatable, Sendable {
    /// A record.
    struct Record: Hashable, Sendable {
        var topic: String
        var partition: PartitionID
        var offset: Offset
    }

    /// How often a record may end the process before it is set aside.
    static let limit = 3

    /// How often each suspect has ended the process, ``limit`` times where it is set aside for good.
    private(set) var counts: [Record: Int] = [:]
    /// The last run that was counted.
    private var run: Int64 = -1

    /// An account without suspects.
    init() {}

    /// Counts the end of a run, once.
    ///
    /// - Parameters:
    ///   - inHand: What it had in hand, nothing where it ended in good order, or by no fault of a record.
    ///   - run: Its number.
    /// - Returns: Those it had in hand that are suspects now, or set aside, with how often they were.
    mutating func count(_ inHand: [Record], run: Int64) -> [(record: Record, count: Int)] {
        guard run != self.run else { return [] }
        self.run = run
        guard !inHand.isEmpty else { return [] }
        let again = inHand.filter { counts[$0] != nil }
        let suspects = again.isEmpty ? inHand : again
        let before = counts
        counts = before.filter { $0.value >= Self.limit }
        for record in suspects { counts[record] = min(Self.limit, (before[record] ?? 0) + 1) }
        return suspects.map { ($0, counts[$0] ?? 0) }
    }

    /// The offsets of a partition that are set aside.
    func setAside(of topic: String, _ partition: PartitionID) -> Set<Offset> {
        Set(
            counts.lazy.filter {
                $0.value >= Self.limit && $0.key.topic == topic && $0.key.partition == partition
            }
            .map(\.key.offset)
        )
    }

    // MARK: As text

    /// A line for the run, then one a record: topic, partition, offset, count.
    var text: String {
        let lines = counts.map { record, count in
            "\(record.topic) \(record.partition) \(record.offset) \(count)"
        }
        return (["run \(run)"] + lines.sorted { $0.precedesByBytes($1) })
            .map { $0 + "\n" }.joined()
    }

    /// Reads such a text; nil for any other.
    init?(text: String) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: true)
        guard let first = lines.first?.split(separator: " "), first.count == 2, first[0] == "run",
            let run = Int64(first[1])
        else { return nil }
        self.run = run
        for line in lines.dropFirst() {
            let words = line.split(separator: " ")
            guard words.count == 4, let partition = PartitionID(words[1]), partition >= 0,
                let offset = Offset(words[2]), offset >= 0, let count = Int(words[3]),
                (1...Self.limit).contains(count)
            else { return nil }
            let record = Record(topic: String(words[0]), partition: partition, offset: offset)
            counts[record] = count
        }
    }
}
