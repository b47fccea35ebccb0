import Basics
import Foundation
import Testing

extension DaemonTests {
    @Suite("given more than its limits")
    struct LimitTests {
        @Test(
            "keeps to each of them, without a word to the cohorts of others, and counts what it left out"
        )
        func counted() async throws {
            let broker = try Broker()
            try await broker.createTopic(partitions: 1)
            let daemon = try DaemonUnderTest()
            try daemon.configure(
                kafka: broker.address,
                properties: broker.properties,
                more: """
                    dedupe: {window: 7d, entries_max: 20}
                    limits: {users_max: 4, events_per_trace_max: 5, properties_per_user_max: 3}
                    """
            )
            try daemon.cohorts(
                [
                    ("five-views", "{performed: {event: view, last: 1h, count: {gte: 5}}}"),
                    ("six-views", "{performed: {event: view, last: 1h, count: {gte: 6}}}"),
                    ("six-buys", "{performed: {event: buy, last: 1h, count: {gte: 6}}}"),
                    ("third-name", "{property: {c: 3}}"),
                    ("fourth-name", "{property: {d: 4}}"),
                    ("tagged", "{property: {tags: {set_contains: [first]}}}"),
                ],
                to: []
            )
            let publisher = try Publisher(broker.address)
            // The newest five views are kept, so that six are never seen.
            for _ in 0..<8 { try await publisher.event("view", of: "bot") }
            // Of five names the first three are kept, in the order of the event; a known name is still assigned.
            try await publisher.event(
                "$identify",
                of: "wordy",
                userProperties: #"{"a":1,"b":2,"c":0,"d":4,"e":5}"#
            )
            try await publisher.event("$identify", of: "wordy", userProperties: #"{"c":3}"#)
            // A list grows to 64 KiB; and a text that is no number can be added to nothing.
            let long = String(repeating: "x", count: 70_000)
            for properties in [
                #"{"$append":{"tags":["first"]}}"#, #"{"$append":{"tags":["\#(long)"]}}"#,
                #"{"$add":{"visits":"many"}}"#,
            ] {
                try await publisher.event("$identify", of: "tagger", userProperties: properties)
            }
            // More insert ids than are remembered.
            for _ in 0..<40 { try await publisher.event("tap", of: "tapper") }
            for number in 0..<3 { try await publisher.event("tap", of: "stranger-\(number)") }
            // Users of before lose nothing to them.
            for _ in 0..<2 { try await publisher.event("tap", of: "tapper") }
            try await publisher.flush()
            try await daemon.startReady()
            try await daemon.settled(at: wallClock())

            for (cohort, members) in [
                "five-views": ["bot"], "six-views": [], "six-buys": [], "third-name": ["wordy"],
                "fourth-name": [], "tagged": ["tagger"],
            ] {
                #expect(try daemon.members(of: cohort) == members, "\(cohort)")
            }
            for (metric, value) in [
                "cohortd_users": 4, "cohortd_users_approximate": 1,
                #"cohortd_rejects_total{reason="users_max"}"#: 3,
                #"cohortd_properties_ignored_total{partition="0"}"#: 2,
                #"cohortd_operations_ignored_total{partition="0"}"#: 2,
                #"cohortd_events_total{partition="0",outcome="applied"}"#: 55,
                #"cohortd_events_total{partition="0",outcome="rejected"}"#: 3,
            ] as [String: Double] {
                #expect(try daemon.metric(metric) == value, "\(metric)")
            }
            let shortened = try daemon.metric(
                #"cohortd_dedupe_window_shortened_total{partition="0"}"#
            )
            #expect(shortened ?? 0 >= 35, "\(String(describing: shortened))")
            try await daemon.stop()
            try await broker.stop()
        }
    }
}
