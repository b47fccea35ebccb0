import Basics
import Cohorts
import Engine
import Events
import Kafka
import Telemetry
import Threads

// History beside what is new: it only adds to traces, where the order of events does not matter.

extension PartitionWorker {
    /// Takes what the queue of history hands out for this partition.
    func takeHistory(_ record: borrowing RecordView, _ decoder: DecoderBox) {
        guard let fill, fill.problem == nil, fill.joining.isEmpty else { return }
        if record.isRecord {
            guard record.offset >= fill.next else { return }
            if record.offset >= fill.until {
                self.fill?.next = fill.until
                return
            }
            if let check = historyCheck {
                historyCheck = nil
                guard historySuffices(check, oldest: record) else { return }
            }
            if !fill.isChecked { self.fill?.isChecked = true }
            if !setAside.contains(record.offset) {
                decoder.hand.take(isCommand: false, partition: partition, offset: record.offset)
                reapply(record, decoder)
                decoder.hand.letGo()
            }
            self.fill?.next = record.offset + 1
        } else {
            switch record.content {
            case .record: break
            case .endOfPartition: self.fill?.next = max(fill.next, min(record.offset, fill.until))
            case .failure(let error): troubleOfHistory(error)
            }
        }
    }

    /// Applies the events of a record that the snapshot was made from to what it lacks.
    ///
    /// What is not taken was told when it was first read.
    func reapply(_ record: borrowing RecordView, _ decoder: DecoderBox) {
        guard let value = record.value else { return }
        let arrival = record.timestamp.map { EventTime(milliseconds: $0) }
        if case .rejected = decoder.decoder.begin(value, source: .log(arrival)) { return }
        while let outcome = decoder.decoder.next(previousArrival: nil) {
            if case .event(let event) = outcome { _ = shard.reapply(event) }
        }
    }

    private func troubleOfHistory(_ error: KafkaError) {
        guard let next = fill?.next else { return }
        switch error.kind {
        case .damagedBatch:
            // What was left out when it was new is left out again.
            guard let end = gaps.skipped(next, ofCommands: false)?.to else { break }
            fill?.next = end
            environment.control.postAtOnce(.leftOut(partition, to: end))
            return
        case .offsetOutOfRange, .unknownTopicOrPartition: break
        default: return
        }
        let text =
            "partition \(partition): the history of \(buildingIDs) cannot be read on at offset \(next):"
            + " \(error.text). It stays empty and the others go on; list it in accept_history and reload to do without what"
            + " is gone"
        fill?.problem = text
        environment.logger.error("rebuild_stopped", text, ["partition": LogValue(partition)])
        publish()
    }

    private var buildingIDs: String {
        shard.missing.cohorts.sorted().map { environment.plan.cohorts[$0].id }
            .joined(separator: ", ")
    }

    /// Where all of the history is read, makes it part of the state: the next tick looks at everybody.
    func finishFillIfThere() {
        guard let fill, fill.joining.isEmpty, fill.next >= fill.until else { return }
        switch phase {
        case .catchingUp, .live: break
        case .opened, .rebuilding, .halted: return
        }
        // What is made durable now may not pass a dead letter.
        guard environment.rejects.isSettled(partition) else { return }
        finishTick()
        heartbeat.beat(.long)
        let cohorts = shard.missing.cohorts
        shard.finishRebuild()
        self.fill?.joining = cohorts
        writeAnew()
        environment.control.postAtOnce(.filled(partition))
        environment.logger.notice(
            "rebuild_done",
            "history was read again",
            ["partition": LogValue(partition)]
        )
        publish()
    }
}
