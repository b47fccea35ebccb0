import Basics
import Kafka
import TestKit
import Testing

/// Random events, published as they are made up, and what the oracle says of them.
///
/// Events are of a time a second or more ahead, so that Kafka has each of them before any tick that counts it: then
/// every message that ever leaves must agree with the oracle at its own tick, not only the set in the end.
final class OracleLoad {
    /// What the daemon is asked for.
    static let definitions = [
        OracleDefinition(id: "three-views", users: performed("view", atLeast: 3)),
        OracleDefinition(
            id: "left-behind",
            users: .all([performed("cart"), .not(performed("buy"))])
        ),
        // Whoever does nothing leaves it.
        OracleDefinition(id: "just-now", users: performed("view", last: 4000)),
        OracleDefinition(
            id: "big",
            users: performed(
                "buy",
                where: [OracleProperty("price", [OracleTest(.greaterOrEqual, [.number("50")])])]
            )
        ),
    ]

    /// The same, as ``DaemonUnderTest`` takes it.
    static var cohorts: [(id: String, users: String)] { definitions.map { ($0.id, $0.users.yaml) } }

    private static func performed(
        _ type: String,
        atLeast count: Int = 1,
        last: Int64 = 3_600_000,
        where properties: [OracleProperty] = []
    ) -> OracleClause {
        var performed = OraclePerformed(.named([type]))
        performed.filter.whereEvent = properties
        performed.window = .last(last, offset: nil)
        if count > 1 {
            performed.mode = .count([OracleTest(.greaterOrEqual, [.number("\(count)")])])
        }
        return .performed(performed)
    }

    /// How many users there are, and how many events a step publishes.
    private static let users = 300
    private static let eventsPerStep = 60
    /// By how much the time of an event is ahead at most, in milliseconds.
    static let aheadMax: Int64 = 2500

    let publisher: Publisher
    private var generator: SeededGenerator
    private var number = 0
    private var lines: [String: [OracleLine]] = [:]
    /// Users of whom an event came to Kafka only after its own time, so that a tick may have been without it.
    private(set) var late: Set<String> = []
    private(set) var eventCount = 0

    init(_ publisher: Publisher, seed: UInt64) {
        self.publisher = publisher
        generator = SeededGenerator(seed: seed)
    }

    /// Publishes some events and waits until Kafka has them.
    ///
    /// Only of some users where they are given.
    func step(of users: Range<Int>? = nil) async throws {
        let made = try await publish(of: users)
        try await publisher.flush()
        noteLate(made)
    }

    /// Publishes for a time, one step after the other.
    func run(milliseconds: Int, _ meanwhile: () -> Void = {}) async throws {
        let end = wallClock() + Int64(milliseconds)
        repeat {
            meanwhile()
            try await step()
        } while wallClock() < end
    }

    /// Publishes some events without waiting for Kafka; ``noteLate(_:)`` is to be told when it has them.
    func publish(of users: Range<Int>? = nil) async throws -> [OracleLine] {
        let users = users ?? 0..<Self.users
        var made: [OracleLine] = []
        for _ in 0..<Self.eventsPerStep {
            let user = "user-\(users.lowerBound + generator.below(users.count))"
            let line: OracleLine
            if let old = lines[user], generator.chance(percent: 5) {
                line = generator.pick(old)
            } else {
                line = newLine(of: user)
                made.append(line)
                lines[user, default: []].append(line)
            }
            eventCount += 1
            try await publisher.send(
                key: user,
                value: Array(line.json.utf8),
                timestamp: line.received
            )
        }
        return made
    }

    /// Notes whose events came to Kafka after their own time; call it when Kafka has them.
    func noteLate(_ made: [OracleLine]) {
        let now = wallClock()
        for line in made {
            if let time = line.time, time <= now, case .text(let user) = line.user {
                late.insert(user)
            }
        }
    }

    private func newLine(of user: String) -> OracleLine {
        number += 1
        let now = wallClock()
        var line = OracleLine()
        line.user = .text(user)
        line.type = .text(generator.pick(["view", "view", "view", "cart", "buy"]))
        line.received = now
        line.time = now + Int64(generator.number(in: 1000...Int(Self.aheadMax)))
        line.insertID = .text("load-\(number)")
        line.eventProperties = [
            OracleMember("price", .number("\(generator.below(60))"))
        ]
        return line
    }

    // MARK: Answers

    /// Who is in which cohort at each of the ticks, by the oracle.
    func members(at ticks: [Int64]) -> [Int64: [String: Set<String>]] {
        var members: [Int64: [String: Set<String>]] = [:]
        for tick in ticks {
            for definition in Self.definitions { members[tick, default: [:]][definition.id] = [] }
        }
        var settings = OracleSettings()
        settings.ticks = .at(ticks)
        // The oracle compares every event with every other; events of two users have nothing to do with each other.
        for lines in lines.values {
            let oracle = Oracle(Self.definitions, lines, settings)
            for tick in oracle.ticks {
                for (cohort, users) in zip(oracle.cohorts, tick.members) {
                    members[tick.instant, default: [:]][cohort, default: []].formUnion(
                        users.map { String(decoding: $0, as: UTF8.self) }
                    )
                }
            }
        }
        return members
    }

    /// Waits for a tick at or after `instant` at which the receiver has exactly who the oracle says, in every cohort,
    /// and nothing is left to send.
    ///
    /// Between two ticks everything is delivered many times over; a member too many or too few stays one.
    func settled(
        _ daemon: DaemonUnderTest,
        _ receiver: Receiver,
        at instant: Int64,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        var seen = "nothing"
        var looked: Int64 = 0
        try await eventually(
            "the receiver has who the oracle says; \(seen)",
            within: 120,
            sourceLocation: sourceLocation
        ) {
            guard let status = try daemon.status(), let tick = status.tickMilliseconds,
                tick >= instant, tick > looked, status.syncs.allSatisfy({ $0.pending == 0 })
            else { return false }
            let found = receiver.deliveries.members()
            // A tick between the two looks is another question.
            guard try daemon.status()?.tickMilliseconds == tick else { return false }
            looked = tick
            let expected = members(at: [tick])[tick] ?? [:]
            seen = Self.difference(found, expected, at: tick)
            return seen.isEmpty
        }
    }

    private static func difference(
        _ found: [String: Set<String>],
        _ expected: [String: Set<String>],
        at tick: Int64
    ) -> String {
        definitions.map(\.id).compactMap { id in
            let found = found[id] ?? []
            let expected = expected[id] ?? []
            let missing = expected.subtracting(found).sorted()
            let more = found.subtracting(expected).sorted()
            if missing.isEmpty, more.isEmpty { return nil }
            return "\(id) at \(tick): \(missing.count) missing \(missing.prefix(3)), "
                + "\(more.count) too many \(more.prefix(3))"
        }.joined(separator: "; ")
    }

    /// Messages that say of a user what was not so at their tick.
    func falsehoods(_ deliveries: [Receiver.Delivery]) -> [String] {
        let expected = members(at: Set(deliveries.map { $0.tick * 1000 }).sorted())
        var found: [String] = []
        for delivery in deliveries {
            let members = expected[delivery.tick * 1000]?[delivery.cohort] ?? []
            for user in delivery.users
            where !late.contains(user) && members.contains(user) != delivery.isEnter {
                found.append(
                    "\(user) \(delivery.isEnter ? "enters" : "leaves") \(delivery.cohort) at \(delivery.tick)"
                )
            }
        }
        return found
    }
}

extension [Receiver.Delivery] {
    /// Users told twice in a row that they entered, or left, one cohort.
    var repetitions: [String] {
        var isIn: [String: Bool] = [:]
        var seen: Set<String> = []
        var found: [String] = []
        for delivery in self where delivery.isTaken && seen.insert(delivery.messageID).inserted {
            for user in delivery.users {
                let key = "\(delivery.cohort) \(user)"
                if isIn[key] ?? false == delivery.isEnter {
                    found.append("\(key) \(delivery.isEnter ? "enters" : "leaves") again")
                }
                isIn[key] = delivery.isEnter
            }
        }
        return found
    }
}
