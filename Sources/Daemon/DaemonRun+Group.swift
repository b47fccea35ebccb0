import Configuration
import Kafka
import Telemetry

extension DaemonRun {
    /// How long Kafka may take to say who is in the group.
    private static let answerMilliseconds = 10_000
    /// How long a member that is gone stays in the group, where nothing else is set: librdkafka's default.
    private static let sessionMilliseconds = 45_000

    /// Joins the consumer group, unless somebody else is in it: one daemon reads the whole topic.
    ///
    /// - Throws: `locked` where somebody is.
    func joinGroup(_ consumer: Consumer) throws(DaemonError) {
        heartbeat.beat(.long)
        defer { heartbeat.beat() }
        if let other = others(consumer).first {
            throw DaemonError(status: DaemonError.Status.locked, refusal(because: other))
        }
        do throws(KafkaError) {
            try consumer.join()
        } catch {
            throw DaemonError(
                status: DaemonError.Status.software,
                "Kafka: \(error.description)"
            )
        }
    }

    /// The members of the group that are not this daemon, nor what it was before a restart.
    private func others(_ consumer: Consumer) -> [GroupMember] {
        do throws(KafkaError) {
            if let members = try consumer.groupMembers(
                timeoutMilliseconds: Self.answerMilliseconds
            ) {
                return members.filter { $0.instanceID != memberID }
            }
            logger.warning(
                "group_unseen",
                "this broker does not tell who is in a group: see to it that no other daemon is in \(group)"
            )
        } catch {
            logger.warning(
                "group_unseen",
                "\(error.description): see to it that no other daemon is in \(group)"
            )
        }
        return []
    }

    private func refusal(because other: GroupMember) -> String {
        let session = kafkaProperties["session.timeout.ms"].flatMap { Int($0) }
        let seconds = ((session ?? Self.sessionMilliseconds) + 999) / 1000
        return "consumer group \(group) has another member: \(other.clientID) of \(other.host), "
            + (other.instanceID.map { "instance \($0)" } ?? "without an instance id")
            + ". One daemon reads the whole topic: stop the other one, or give this one a kafka.group of its own."
            + " One that was just stopped stays in the group for a while: wait \(seconds) s"
    }

    private var group: String { loaded.daemon.kafka.group }
}
