import Basics
import Cohorts
import Configuration
import Destinations
import Engine
import Kafka
import Telemetry
import Threads

extension DaemonRun {
    /// Why another configuration is not used.
    struct Refusal: Error {
        var lines: [String]
    }

    /// Reads the configuration again where that was asked for; ``next`` is what to go on with.
    ///
    /// - Parameter consumer: Asked what Kafka still has; nil where it does not answer.
    func lookForReload(_ consumer: Consumer?) {
        // Asked for again once this change is over: a request that is taken is gone.
        guard next == nil, let reload, reload.take() else { return }
        do throws(Refusal) {
            _ = try change(to: reload.read(), consumer)
        } catch {
            // Told already.
        }
    }

    /// Goes on with a configuration that was read again, if it can be used.
    ///
    /// - Throws: Why not, which was told by then.
    func change(
        to read: LoadedConfiguration,
        _ consumer: Consumer?
    ) throws(Refusal) -> ConfigurationChanges {
        tellReloading()
        var read = read
        do throws(Refusal) {
            let changes = try check(&read, consumer)
            goOn(with: read, changes, "the configuration was read again")
            return changes
        } catch {
            for line in error.lines { logger.error("reload_refused", line) }
            logger.error(
                "reload_refused",
                "the configuration was read again and is not used; the one before runs on"
            )
            environment.metrics.update { $0.set(.configReloadSuccessful, to: 0) }
            manager.tell(.ready)
            throw error
        }
    }

    /// Ends this run, to go on with a configuration that was checked; `cause` is a sentence without its full stop.
    func goOn(with candidate: LoadedConfiguration, _ changes: ConfigurationChanges, _ cause: String)
    {
        logger.notice("reload", "\(cause): \(changes.text)")
        setStartup(["changing to another configuration: \(cause)"])
        next = candidate
    }

    /// Tells the service manager that another configuration is looked at.
    func tellReloading() {
        manager.tell(.reloading(microseconds: clock.monotonicMilliseconds * 1000))
    }

    /// Checks everything that can be checked while the configuration before runs, and keeps what it read for that.
    func check(
        _ read: inout LoadedConfiguration,
        _ consumer: Consumer?
    ) throws(Refusal) -> ConfigurationChanges {
        // Kafka may be asked about every partition, and again for each reach of a cohort.
        heartbeat.beat(.long)
        defer { heartbeat.beat() }
        if !read.problems.isEmpty { throw Refusal(lines: read.problems) }
        if isDiskFull {
            throw Refusal(lines: [
                "the disk of data_dir is full, so nothing can end in good order: free space, then reload again"
            ])
        }
        let changes = ConfigurationChanges(from: loaded, to: read)
        if !changes.needingRestart.isEmpty {
            let keys = changes.needingRestart.joined(separator: " and ")
            throw Refusal(lines: ["\(keys) changed: that takes a restart"])
        }
        let plan: Plan
        do throws(DaemonError) {
            var secrets = SecretStore(surroundings: .ofProcess, redactor: redactor)
            _ = try Self.kafkaProperties(read.daemon.kafka, &secrets)
            read.credentials = try APICredentials(read.daemon.http, redactor)
            plan = Self.plan(of: read, try SyncSetup(read))
        } catch {
            throw Refusal(lines: [error.text])
        }
        guard let consumer else { return changes }
        let lacking = try lackingHistory(plan, read, consumer)
        if !lacking.isEmpty {
            let ids = lacking.joined(separator: ", ")
            throw Refusal(lines: [
                "the history that \(ids) needs is gone from Kafka: list the ids in accept_history to go on from"
                    + " what is left"
            ])
        }
        return changes
    }

    /// The cohorts that look at events which were not kept, and which Kafka does not have any more; those that were
    /// accepted left out.
    private func lackingHistory(
        _ plan: Plan,
        _ read: LoadedConfiguration,
        _ consumer: Consumer
    ) throws(Refusal) -> [String] {
        let missing = MissingTraces(
            from: environment.plan,
            environment.settings,
            to: plan,
            ShardSettings(behindKafka: read.daemon.replay)
        )
        guard missing.needsEvents else { return [] }
        var lacking: Set<String> = []
        do throws(KafkaError) {
            var oldest: [PartitionID: Offset] = [:]
            // How far back cohorts look that are not known to lack anything.
            var reaches: [Int64: Set<String>] = [:]
            for (partition, first) in try consumer.firstOffsets(
                opened.keys.sorted(),
                timeoutMilliseconds: 5000
            ) {
                let offset = try first.get()
                let events = LogStart(offset: offset, end: offset, oldest: offset)
                guard
                    let check = HistoryCheck(
                        start: PartitionStart(events: events, commands: nil, floor: .distantPast),
                        missing: missing,
                        plan: plan
                    )
                else { continue }
                oldest[partition] = offset
                lacking.formUnion(check.everything.map(\.id))
                for (cohort, reach) in check.bounded {
                    reaches[reach, default: []].insert(cohort.id)
                }
            }
            for (reach, cohorts) in reaches {
                let since = try consumer.offsets(
                    oldest.keys.sorted(),
                    since: clock.now - reach,
                    timeoutMilliseconds: 5000
                )
                // Where the oldest record is not older than that, something may be gone before it.
                if since.contains(where: { $0.value <= oldest[$0.key] ?? 0 }) {
                    lacking.formUnion(cohorts)
                }
            }
        } catch {
            throw Refusal(lines: [
                "new definitions need history, and Kafka does not say what it still has: \(error.description)"
            ])
        }
        lacking.subtract(read.acceptedHistory)
        return lacking.sorted { $0.precedesByBytes($1) }
    }
}
