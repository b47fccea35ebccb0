import Configuration
import Engine
import Replay

extension ShardSettings {
    /// Those of a shard whose events come from Kafka.
    init(behindKafka replay: ReplayConfiguration) {
        self.init(replay)
        // Kafka's timestamps may go back; as far as the window itself they still dedupe exactly.
        dedupeSlack = replay.dedupe.windowMilliseconds
    }
}
