import Kafka
import Telemetry

extension DaemonRun {
    /// Reads nothing more while memory is nearly used up, and goes on when it is not any more.
    func watchMemory(_ consumer: Consumer, now: Int64) {
        guard let before = memoryWatch.look(now: now) else { return }
        let memory = memoryWatch.memory
        do throws(KafkaError) {
            // At each look, should one have failed.
            if memory.level == .critical {
                try consumer.hold()
                try history?.hold()
            } else {
                try consumer.release()
                try history?.release()
            }
        } catch {
            logger.warning("kafka_error", error.description, repeatKey: "\(error.code)")
        }
        if memory.level == before { return }
        let isHeld = memory.level == .critical
        environment.metrics.update {
            $0.set(.consumptionPaused, ["memory"], to: isHeld ? 1 : 0)
        }
        switch memory.level {
        case .critical:
            logger.error(
                "memory_critical",
                "\(memory.use): nothing is read from Kafka until it falls; nothing is lost, nobody leaves. "
                    + "Raise memory_max or the limit of the unit or container",
                repeatKey: "memory"
            )
        case .high where before == .critical:
            logger.notice(
                "memory_falls",
                "\(memory.use): events are read again",
                repeatKey: "memory"
            )
        case .high:
            logger.warning(
                "memory_high",
                "\(memory.use): from \(MemoryGuard.criticalPercent) % on nothing is read. "
                    + "Raise memory_max or the limit of the unit or container",
                repeatKey: "memory"
            )
        case .normal: logger.notice("memory_falls", "\(memory.use)", repeatKey: "memory")
        }
    }
}
