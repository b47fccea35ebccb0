import Basics
import Configuration
package import Destinations
import Glibc
import HTTPAPI
import Kafka
package import Telemetry
import Threads

/// Everything in one process: librdkafka's in-process broker, a producer of made-up traffic, the daemon with
/// three cohorts, and a webhook receiver that verifies what it gets.
///
/// The daemon is the real one: it reads a configuration from a folder made for the occasion, takes its events
/// over the Kafka protocol and sends signed requests.
package struct Demo: Sendable {
    /// Events a second.
    package var rate: Int
    /// The API's port; 0 lets the system choose.
    package var port: UInt16
    /// How long to run; nil = until stopped.
    package var seconds: Int?

    /// A demo with these settings.
    package init(rate: Int, port: UInt16, seconds: Int?) {
        self.rate = rate
        self.port = port
        self.seconds = seconds
    }

    /// Runs until it is over or a stop is wanted.
    ///
    /// - Parameters:
    ///   - logger: The daemon's.
    ///   - redactor: What the sink of `logger` goes through.
    ///   - say: Takes lines for people, without newline.
    ///   - delta: Takes delta records as the receiver verified them, with newline.
    ///   - isStopWanted: Asked several times a second.
    /// - Throws: `DaemonError` when it cannot start or the daemon ends with an error.
    package func run(
        logger: Logger,
        redactor: Redactor,
        say: @escaping @Sendable (String) -> Void,
        delta: @escaping @Sendable ([UInt8]) -> Void,
        isStopWanted: @escaping () -> Bool
    ) throws(DaemonError) {
        let broker: EmbeddedBroker
        do throws(KafkaError) {
            broker = try EmbeddedBroker()
            try broker.createTopic("events", partitions: 4)
        } catch {
            throw DaemonError(
                status: DaemonError.Status.software,
                "the in-process broker: \(error.description)"
            )
        }
        say("kafka: \(broker.bootstrapServers)")
        let secret = "whsec_" + Base64.encode(SecureRandom.bytes(count: 32))
        let receiver = try DemoReceiver(secret: secret, delta: delta)
        let folder = try DemoFolder(
            broker: broker.bootstrapServers,
            receiver: receiver.url,
            secret: secret,
            port: port
        )
        defer { folder.remove() }
        let configuration = LoadedConfiguration.read(
            path: folder.configurationPath,
            overrides: [],
            acceptHistory: []
        )
        if let problem = configuration.problems.first {
            throw DaemonError(
                status: DaemonError.Status.software,
                "the demo's own files: \(problem)"
            )
        }
        let traffic = try DemoTraffic(broker: broker.bootstrapServers, rate: rate)
        let clock = SystemClock()
        let end = seconds.map { clock.monotonicMilliseconds + Int64($0) * 1000 }
        let service = DaemonService(configuration, logger: logger, redactor: redactor) {
            if isStopWanted() { return true }
            return end.map { clock.monotonicMilliseconds >= $0 } ?? false
        }
        service.listening = { address in
            say("http: \(address)")
            say(
                "three cohorts, a tick every second; each line on stdout is a user whom the webhook"
                    + " receiver was told about. Ctrl-C ends it."
            )
            say(
                "This is a demonstration: its broker keeps 5 MiB a partition in memory, and its"
                    + " data folder goes with it."
            )
        }
        let producing = traffic.start()
        defer {
            traffic.stop()
            producing.join()
            receiver.stop()
        }
        try service.run()
        say(
            "published \(traffic.publishedCount) events; the receiver verified"
                + " \(receiver.verifiedCount) requests and refused \(receiver.refusedCount)"
        )
    }
}
