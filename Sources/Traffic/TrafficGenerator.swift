package import Basics

/// Makes up events one by one: the same settings, the same bytes.
///
/// Event n comes at `start` and n times 1/rate of a second after it, cut to milliseconds, and that is its time
/// unless it is late. A duplicate is one of the last ``recentMax`` that were none, as it was.
package struct TrafficGenerator {
    /// An event to send.
    package struct Event {
        /// Who did it; the key of its record.
        package var user: String
        /// The producers' format, without a line feed.
        package var json: [UInt8]
        /// When it comes: the timestamp of its record.
        package var arrival: EventTime
        /// Whether its time is before its arrival.
        package var isLate: Bool
        /// Whether it was there before.
        package var isDuplicate: Bool
    }

    /// How many events a duplicate may go back.
    package static let recentMax = 1000

    private let settings: TrafficSettings
    private let users: ZipfSampler
    private var generator: SeededGenerator
    private var recent: [Event] = []
    /// Events made until now.
    package private(set) var count = 0
    /// Of these, those that were none that came before.
    private var distinct = 0

    /// A generator at its first event.
    package init(_ settings: TrafficSettings) {
        self.settings = settings
        users = ZipfSampler(count: settings.users, exponent: settings.skew)
        generator = SeededGenerator(seed: settings.seed)
        recent.reserveCapacity(Self.recentMax)
    }

    /// The next event.
    package mutating func next() -> Event {
        let arrival = settings.start + settings.milliseconds(of: count)
        count += 1
        // Drawn for every event, so that another share changes no more than it must.
        let isDuplicate = draws(settings.duplicateShare)
        if isDuplicate, !recent.isEmpty {
            var event = recent[generator.below(recent.count)]
            event.arrival = arrival
            event.isDuplicate = true
            return event
        }
        let event = make(arrival)
        if recent.count < Self.recentMax {
            recent.append(event)
        } else {
            recent[distinct % Self.recentMax] = event
        }
        distinct += 1
        return event
    }

    private mutating func make(_ arrival: EventTime) -> Event {
        let isLate = draws(settings.lateShare)
        let lateness = isLate ? 1 + generator.below(Int(settings.lateMax)) : 0
        let event = TrafficEvent(
            user: "user-\(users.next(&generator))",
            type: settings.mix.next(&generator),
            time: arrival - Int64(lateness),
            insertID: "\(settings.seed)-\(distinct)"
        )
        return Event(
            user: event.user,
            json: event.json(&generator),
            arrival: arrival,
            isLate: isLate,
            isDuplicate: false
        )
    }

    private mutating func draws(_ share: Double) -> Bool {
        Double(generator.next() >> 11) * 0x1p-53 < share
    }
}
