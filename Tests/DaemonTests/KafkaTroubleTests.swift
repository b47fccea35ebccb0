import Basics
import HTTPAPI
import Kafka
import Testing

@testable import Daemon

@Suite("What /readyz says of Kafka")
struct KafkaTroubleTests {
    private func waiting(_ offset: Offset, end: Offset = 9) -> PartitionReport {
        var report = PartitionReport(partition: 3)
        report.state = .live
        report.offset = offset
        report.endOffset = end
        report.awaitsRecords = true
        return report
    }

    private let reachable = {
        var reachability = Reachability()
        reachability.lastAnswerMilliseconds = 0
        return reachability
    }()

    @Test("a partition that gets nothing for a minute is told once, until something comes")
    func stall() {
        var trouble = KafkaTrouble()
        let minute = KafkaTrouble.stalledMilliseconds
        func look(_ report: PartitionReport, at now: Int64, isFlowing: Bool = true) -> Int {
            trouble.look(at: [report], isFlowing: isFlowing, now: now).count
        }
        func reasons(_ report: PartitionReport, at now: Int64) -> [String] {
            trouble.reasons(reachable, missing: 0, reports: [report], now: now)
        }
        #expect(look(waiting(5), at: 1000) == 0)
        #expect(look(waiting(5), at: 1000 + minute - 1) == 0)
        #expect(reasons(waiting(5), at: 1000 + minute - 1) == [])
        #expect(look(waiting(5), at: 1000 + minute) == 1)
        #expect(look(waiting(5), at: 1100 + minute) == 0)
        #expect(
            reasons(waiting(5), at: 1100 + minute) == [
                "partition 3 gets nothing from Kafka at offset 5, though it has records up to 9"
            ]
        )
        // One record is enough, and another minute without one is told again.
        #expect(look(waiting(6), at: 1200 + minute) == 0)
        #expect(reasons(waiting(6), at: 1200 + minute) == [])
        #expect(look(waiting(6), at: 1200 + 2 * minute) == 1)
        // Nothing is expected of a Kafka that does not answer.
        #expect(look(waiting(6), at: 1300 + 2 * minute, isFlowing: false) == 0)
        #expect(look(waiting(6), at: 1400 + 2 * minute) == 0)
        #expect(look(waiting(6), at: 1300 + 3 * minute) == 0)
        // Nor of a leader that says why.
        var refused = waiting(6)
        refused.trouble = ("Topic authorization failed", 6)
        #expect(look(refused, at: 1400 + 3 * minute) == 0)
        #expect(
            reasons(refused, at: 1400 + 3 * minute) == [
                "partition 3 waits for Kafka: Topic authorization failed"
            ]
        )
    }

    @Test("ticks that fail for a moment are not told, those that fail for long are")
    func ticks() {
        var trouble = KafkaTrouble()
        func reasons(at now: Int64) -> [String] {
            trouble.reasons(reachable, missing: 0, reports: [], now: now)
        }
        trouble.tickFailed(.closed, at: 1000)
        trouble.tickFailed(.closed, at: 3000)
        #expect(reasons(at: 5999) == [])
        #expect(reasons(at: 6000) == ["ticks wait for Kafka: this Kafka client was closed"])
        trouble.ticked()
        #expect(reasons(at: 7000) == [])
        trouble.tickFailed(.closed, at: 8000)
        #expect(reasons(at: 9000) == [])
    }

    @Test("who is missing partitions, or every broker, says so")
    func missing() {
        let trouble = KafkaTrouble()
        #expect(
            trouble.reasons(Reachability(), missing: 1, reports: [waiting(5)], now: 0) == [
                "kafka unreachable", "joining the consumer group: 1 of 1 partitions to come",
            ]
        )
    }
}
