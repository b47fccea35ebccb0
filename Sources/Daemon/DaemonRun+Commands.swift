import Basics
import Glibc
import HTTPAPI
import Kafka
import Telemetry
import Threads

// The commands topic, which may come later than the daemon.

extension DaemonRun {
    /// Learns whether the commands topic is there.
    ///
    /// - Returns: False when no broker answered.
    func lookForCommands(_ consumer: Consumer) throws(DaemonError) -> Bool {
        let properties = kafkaProperties
        // Making a topic takes a broker its time.
        heartbeat.beat(.long)
        defer { heartbeat.beat() }
        do throws(KafkaError) {
            try commands.look(
                partitions: opened.count,
                consumer,
                properties: properties,
                now: clock.monotonicMilliseconds
            )
            return true
        } catch {
            logger.warning(
                "kafka_not_ready",
                "\(error.description); trying again",
                repeatKey: "\(error.code)"
            )
            return false
        }
    }

    /// Begins to read the commands topic if it has come since.
    func startCommandsIfThere(_ consumer: Consumer) throws(DaemonError) {
        guard try lookForCommands(consumer), commands.isRead else { return }
        for partition in opened.keys.sorted() {
            guard let start = commandsStart(of: partition, consumer) else { return }
            let ours = opened[partition]?.cut?.position.commands
            if try isHalted(partition, at: ours, start, of: commands.name, consumer) { continue }
            engines[Int(partition) % engines.count].post(.startCommands(partition, start))
        }
        while !isStopWanted(),
            environment.reports.all.contains(where: {
                $0.commandsOffset == nil && $0.state != .halted
            })
        {
            heartbeat.beat()
            usleep(1000)
        }
        do throws(KafkaError) {
            try consumer.startCompanions()
        } catch {
            throw DaemonError(
                status: DaemonError.Status.software,
                "the commands topic cannot be read: \(error.description)"
            )
        }
    }
}
