import Configuration
import Glibc
import Kafka
import Telemetry
import Threads

extension DaemonRun {
    /// How long Kafka may take to say who is in the group.
    private static let answerMilliseconds = 10_000
    /// For how long Kafka is asked again that cannot say it yet.
    private static let retryMilliseconds: Int64 = 30_000
    /// How long a member that is gone stays in the group, where nothing else is set: librdkafka's default.
    private static let sessionMilliseconds: Int64 = 45_000

    /// Joins the consumer group, unless somebody else is in it: one daemon reads the whole topic.
    ///
    /// - Throws: `locked` where somebody is.
    func joinGroup(_ consumer: Consumer) throws(DaemonError) {
        heartbeat.beat(.long)
        defer { heartbeat.beat() }
        if let other = others(consumer, retryMilliseconds: Self.retryMilliseconds).first {
            throw refusal(because: other)
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

    /// Leaves the group to another daemon that joined at the same moment, where that one is to have it.
    ///
    /// - Throws: `locked` then.
    func giveWay(_ consumer: Consumer, now: Int64) throws(DaemonError) {
        let given = Set(consumer.assignment)
        if opened.keys.allSatisfy(given.contains) { return }
        let other = rivalry.look(memberID, session: session, now: now) {
            heartbeat.beat(.long)
            defer { heartbeat.beat() }
            return others(consumer, answerMilliseconds: 2000)
        }
        if let other { throw refusal(because: other) }
    }

    /// The members of the group that are not this daemon, nor what it was before a restart.
    private func others(
        _ consumer: Consumer,
        answerMilliseconds: Int = answerMilliseconds,
        retryMilliseconds: Int64 = 0
    ) -> [GroupMember] {
        let began = clock.monotonicMilliseconds
        while !isStopWanted() {
            do throws(KafkaError) {
                if let members = try consumer.groupMembers(
                    timeoutMilliseconds: answerMilliseconds
                ) {
                    return members.filter { $0.instanceID != memberID }
                }
                logger.warning(
                    "group_unseen",
                    "this broker does not tell who is in a group: see to it that no other daemon is in \(group)",
                    repeatKey: "group"
                )
                return []
            } catch {
                // A broker that has just started reads its groups first.
                if error.isRetriable,
                    clock.monotonicMilliseconds - began < retryMilliseconds
                {
                    usleep(200_000)
                    continue
                }
                logger.warning(
                    "group_unseen",
                    "\(error.description): see to it that no other daemon is in \(group)",
                    repeatKey: "group"
                )
                return []
            }
        }
        return []
    }

    private func refusal(because other: GroupMember) -> DaemonError {
        let seconds = (session + 999) / 1000
        return DaemonError(
            status: DaemonError.Status.locked,
            "consumer group \(group) has another member: \(other.clientID) of \(other.host), "
                + (other.instanceID.map { "instance \($0)" } ?? "without an instance id")
                + ". One daemon reads the whole topic: stop the other one, or give this one a kafka.group of its own."
                + " One that was just stopped stays in the group for a while: wait \(seconds) s"
        )
    }

    /// How long a member that is gone stays in the group, in milliseconds.
    private var session: Int64 {
        kafkaProperties["session.timeout.ms"].flatMap { Int64($0) } ?? Self.sessionMilliseconds
    }

    private var group: String { loaded.daemon.kafka.group }
}
