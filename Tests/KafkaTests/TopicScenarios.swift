import Basics
import Foundation
import Kafka
import KafkaDelivery
import Sync
import Synchronization
import Testing

/// What a topic destination must do on every broker.
struct TopicScenarios {
    let bootstrap: String
    let createTopic: @Sendable (_ name: String, _ partitions: Int) throws -> Void

    /// One user leaves and one enters, in one batch.
    static func request(_ message: Int = 1, timeoutMilliseconds: Int64 = 30_000) -> DeliveryRequest
    {
        var request = DeliveryRequest(
            syncID: "s",
            destinationID: "d",
            messageID: "m\(message)",
            cohortID: "vip",
            cohortName: "Very important",
            tick: EventTime(milliseconds: 1_767_323_040_000),
            users: UserList(["gone\(message)", "new\(message)"]),
            exitCount: 1,
            timeoutMilliseconds: timeoutMilliseconds
        )
        request.origins = [
            RecordOrigin(partition: 4, sequence: UInt64(2 * message - 1)),
            RecordOrigin(partition: 4, sequence: UInt64(2 * message)),
        ]
        return request
    }

    func settings(
        _ topic: String,
        _ records: TopicRecords,
        properties: [String: String] = [:]
    ) -> TopicSettings {
        TopicSettings(
            topic: topic,
            records: records,
            kafka: ["bootstrap.servers": bootstrap, "client.id": "overridden"],
            properties: properties.merging(
                ["client.id": "kafka-tests", "reconnect.backoff.max.ms": "250"]
            ) { $1 },
            clientID: "cohortd"
        )
    }

    /// All records of a topic of one partition, as `key value`.
    func records(_ topic: String, count: Int) async throws -> [String] {
        let member = try Member(bootstrap: bootstrap, topic: topic, group: "\(topic)-readers")
        try await eventually("\(count) records of \(topic) and its end") {
            member.count >= count && member.seen.ends[0] != nil
        }
        let records = member.seen.records[0] ?? []
        #expect(try await member.close())
        return records.map { "\(String(decoding: $0.key ?? [], as: UTF8.self)) \($0.text)" }
    }

    func changes(_ topic: String) async throws {
        try createTopic(topic, 1)
        try await withTransport(settings(topic, .changes)) { transport, outcomes in
            transport.submit(Self.request(1), token: 1)
            transport.submit(Self.request(2), token: 2)
            try await outcomes.expectDelivered(1)
            try await outcomes.expectDelivered(2)
        }
        let start = #"{"tick":"2026-01-02T03:04:00Z","cohort":"vip","user":"#
        #expect(
            try await records(topic, count: 4) == [
                "vip|gone1 " + start + #""gone1","op":"exit","partition":4,"seq":1}"#,
                "vip|new1 " + start + #""new1","op":"enter","partition":4,"seq":2}"#,
                "vip|gone2 " + start + #""gone2","op":"exit","partition":4,"seq":3}"#,
                "vip|new2 " + start + #""new2","op":"enter","partition":4,"seq":4}"#,
            ]
        )
    }

    func table(_ topic: String) async throws {
        try createTopic(topic, 1)
        try await withTransport(settings(topic, .table)) { transport, outcomes in
            transport.submit(Self.request(1), token: 1)
            try await outcomes.expectDelivered(1)
        }
        #expect(
            try await records(topic, count: 2)
                == ["vip|gone1 null", #"vip|new1 {"tick":"2026-01-02T03:04:00Z"}"#]
        )
    }
}

/// Outcomes by token, more than one each where a batch is sent again.
final class TopicOutcomes: Sendable {
    private let content = Mutex<[UInt64: DeliveryOutcome]>([:])

    func add(_ token: UInt64, _ outcome: DeliveryOutcome) {
        let previous = content.withLock { $0.updateValue(outcome, forKey: token) }
        #expect(previous == nil, "token \(token) ended twice")
    }

    func wait(for token: UInt64) async throws -> DeliveryOutcome {
        try await eventually("the outcome of \(token)") {
            content.withLock { $0[token] != nil }
        }
        return try #require(content.withLock { $0[token] })
    }
}

extension TopicOutcomes {
    /// Waits for a batch that must be delivered.
    func expectDelivered(
        _ token: UInt64,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let outcome = try await wait(for: token)
        #expect(outcome == .delivered, sourceLocation: sourceLocation)
    }
}

/// A transport and its outcomes, stopped at the end of the body.
func withTransport(
    _ settings: TopicSettings,
    _ body: (TopicTransport, TopicOutcomes) async throws -> Void
) async throws {
    let outcomes = TopicOutcomes()
    let transport = TopicTransport(settings) { outcomes.add($0, $1) }
    defer { transport.stop(graceMilliseconds: 0) }
    try await body(transport, outcomes)
}
