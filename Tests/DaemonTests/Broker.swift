import Foundation
import Kafka
import TestKit
import Testing

/// A Kafka to test against: the in-process one, or Apache Kafka where `KAFKA_HOME` names it.
final class Broker {
    /// Where an Apache Kafka is unpacked; nil skips those tests.
    static let kafkaHome = ProcessInfo.processInfo.environment["KAFKA_HOME"].flatMap {
        $0.isEmpty ? nil : $0
    }

    let address: String
    /// What the daemon sets besides, so that a killed one has its partitions back soon.
    let properties: [String: String]
    private let embedded: EmbeddedBroker?
    private let folder: TemporaryFolder?

    /// The in-process broker; it knows no static members, so those of a killed daemon must time out.
    init() throws {
        let broker = try EmbeddedBroker()
        embedded = broker
        folder = nil
        address = broker.bootstrapServers
        properties = ["session.timeout.ms": "6000"]
    }

    private init(apache address: String, folder: TemporaryFolder) {
        embedded = nil
        self.folder = folder
        self.address = address
        properties = [:]
    }

    /// Starts an Apache Kafka; `settings` are of the broker, each `KEY=VALUE`.
    static func apache(_ settings: [String] = []) async throws -> Broker {
        let folder = try TemporaryFolder()
        let path = folder.url.path
        let program = try Program(script, ["start", "\(path)/broker"] + settings, folder: path)
        guard try await program.end(within: 120) == .exited(0) else {
            throw NotInTime(what: "Apache Kafka: \(program.errors)")
        }
        let address = program.output.trimmingCharacters(in: .whitespacesAndNewlines)
        return Broker(apache: address, folder: folder)
    }

    /// Ends it and removes what it left.
    func stop() async throws {
        _ = embedded?.close(timeoutMilliseconds: 5000)
        guard let folder else { return }
        let path = folder.url.path
        let program = try Program(Self.script, ["stop", "\(path)/broker"], folder: path)
        #expect(try await program.end(within: 120) == .exited(0), "\(program.errors)")
        try folder.remove()
    }

    /// Kills an Apache Kafka the hard way; ``resume()`` starts it again on its log and port.
    func killHard() async throws { try await script("kill") }

    func resume() async throws { try await script("resume") }

    private func script(_ verb: String) async throws {
        let path = "\(try #require(folder).url.path)/broker"
        let program = try Program(Self.script, [verb, path], folder: path)
        #expect(try await program.end(within: 120) == .exited(0), "\(program.errors)")
    }

    /// Makes a topic.
    func createTopic(
        _ name: String = "events",
        partitions: Int = 4,
        settings: [String] = []
    ) async throws {
        if let embedded {
            try embedded.createTopic(name, partitions: partitions)
            return
        }
        let topics = try tool("kafka-topics.sh")
        let ending = try await topics(
            [
                "--create", "--topic", name, "--partitions", "\(partitions)",
                "--replication-factor",
                "1",
            ] + settings.flatMap { ["--config", $0] }
        )
        #expect(ending == .exited(0))
    }

    /// Deletes a topic; only of an Apache Kafka.
    func deleteTopic(_ name: String) async throws {
        let topics = try tool("kafka-topics.sh")
        #expect(try await topics(["--delete", "--topic", name]) == .exited(0))
    }

    /// Adds partitions to a topic until it has so many; only of an Apache Kafka.
    func addPartitions(to name: String, count: Int) async throws {
        let topics = try tool("kafka-topics.sh")
        let arguments = ["--alter", "--topic", name, "--partitions", "\(count)"]
        #expect(try await topics(arguments) == .exited(0))
    }

    /// Takes the right to make or write a topic from everybody; only of an Apache Kafka with an authorizer.
    func forbid(topic: String) async throws {
        let acls = try tool("kafka-acls.sh")
        let everybody = "User:ANONYMOUS"
        for arguments in [
            ["--allow-principal", everybody, "--operation", "All", "--cluster"],
            ["--deny-principal", everybody, "--operation", "Create", "--cluster"],
            ["--deny-principal", everybody, "--operation", "All", "--topic", topic],
        ] {
            #expect(try await acls(["--add"] + arguments) == .exited(0))
        }
    }

    /// Makes Kafka forget the records of a partition before an offset; only Apache Kafka can.
    func deleteRecords(topic: String, partition: Int, before offset: Int64) async throws {
        let folder = try #require(folder)
        let list = "\(folder.url.path)/delete.json"
        try
            #"{"partitions":[{"topic":"\#(topic)","partition":\#(partition),"offset":\#(offset)}],"version":1}"#
            .write(toFile: list, atomically: false, encoding: .utf8)
        let delete = try tool("kafka-delete-records.sh")
        #expect(try await delete(["--offset-json-file", list]) == .exited(0))
    }

    /// Changes what an Apache Kafka has on disk of a partition, while it is stopped in good order.
    func changeSegment(
        topic: String,
        partition: Int,
        _ change: (inout [UInt8]) throws -> Void
    ) async throws {
        let path = "\(try #require(folder).url.path)/broker"
        try await script("stop")
        let segment = URL(
            fileURLWithPath: "\(path)/log/\(topic)-\(partition)/00000000000000000000.log"
        )
        var bytes = Array(try Data(contentsOf: segment))
        try change(&bytes)
        try Data(bytes).write(to: segment)
        try await resume()
    }

    /// Makes the in-process broker refuse and drop connections, or answer again.
    func setDown(_ isDown: Bool) throws {
        let embedded = try #require(embedded)
        if isDown { try embedded.setDown() } else { try embedded.setUp() }
    }

    /// Makes every answer of the in-process broker take this long.
    func setRoundTrip(milliseconds: Int) throws {
        try #require(embedded).setRoundTrip(milliseconds: milliseconds)
    }

    /// Fills the first partition of `events` beyond the 5 MiB that the in-process broker keeps of one.
    func overflow() async throws {
        let publisher = try Publisher(address, compression: "none")
        let padding = String(repeating: "x", count: 20_000)
        for number in 0..<400 {
            try await publisher.event(
                "noise",
                of: "noise-\(number % 10)",
                properties: #"{"p":"\#(padding)"}"#,
                partition: 0
            )
            // Batches stay small, so that some of them are left.
            if number % 20 == 19 { try await publisher.flush() }
        }
    }

    private func tool(_ name: String) throws -> ([String]) async throws -> Program.Ending {
        let home = try #require(Self.kafkaHome)
        let path = try #require(folder).url.path
        return { [address] arguments in
            let program = try Program(
                "\(home)/bin/\(name)",
                ["--bootstrap-server", address] + arguments,
                folder: path,
                environment: ["KAFKA_HEAP_OPTS": "-Xmx128m"]
            )
            let ending = try await program.end(within: 120)
            if ending != .exited(0) { print("\(name): \(program.output) \(program.errors)") }
            return ending
        }
    }

    /// The root of the repository.
    static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path

    private static var script: String { "\(repository)/tools/kafka-broker" }
}
