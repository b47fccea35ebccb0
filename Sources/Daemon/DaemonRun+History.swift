import Basics
import Configuration
import Kafka

// The past that cohorts lack, read beside what comes.

extension DaemonRun {
    /// Sees to it that what partitions lack of the past is read.
    func readHistory() throws(DaemonError) {
        if past.isEmpty { return }
        if let history {
            history.poll()
            if past.keys.allSatisfy(history.reads) { return }
            // One that was halted has begun. What the others have of theirs by now, they drop.
            heartbeat.beat(.long)
            history.close()
            heartbeat.beat()
        }
        do throws(KafkaError) {
            history = try HistoryReader(
                configuration.kafka,
                properties: kafkaProperties,
                from: past,
                engines: engines,
                logger: logger
            )
        } catch {
            throw DaemonError(
                status: DaemonError.Status.software,
                "history cannot be read: \(error.description)"
            )
        }
    }

    func endHistory(of partition: PartitionID) {
        past[partition] = nil
        guard history?.filled(partition) == true else { return }
        heartbeat.beat(.long)
        history?.close()
        history = nil
        heartbeat.beat()
    }
}
