/// One event as a producer writes it, right or wrong.
package struct OracleLine: Sendable {
    /// `server_received_time`, epoch milliseconds.
    package var received: Int64?
    /// `time`, epoch milliseconds.
    package var time: Int64?
    /// `user_id`.
    package var user: OracleValue?
    /// `device_id`.
    package var device: OracleValue?
    /// `event_type`.
    package var type: OracleValue?
    /// `insert_id`.
    package var insertID: OracleValue?
    /// `event_properties`.
    package var eventProperties: [OracleMember]?
    /// `user_properties`.
    package var userProperties: [OracleMember]?
    /// What else stands at the top level.
    package var topLevel: [OracleMember] = []

    /// A line without anything.
    package init() {}

    /// As JSON.
    package var json: String {
        var members: [OracleMember] = []
        func add(_ name: String, _ value: OracleValue?) {
            if let value { members.append(OracleMember(name, value)) }
        }
        add("user_id", user)
        add("device_id", device)
        add("event_type", type)
        add("time", time.map { .number(String($0)) })
        add("server_received_time", received.map { .number(String($0)) })
        add("insert_id", insertID)
        add("event_properties", eventProperties.map { .object($0) })
        add("user_properties", userProperties.map { .object($0) })
        return OracleValue.object(members + topLevel).json
    }
}

/// What replay is told beside lines and definitions.
package struct OracleSettings: Sendable {
    /// Types that make nobody active.
    package var inactiveEvents: [String] = []
    /// Milliseconds; 0 = no dedupe.
    package var dedupeWindow: Int64 = 604_800_000
    /// Milliseconds.
    package var futureMax: Int64 = 604_800_000
    /// All lines first, then the ticks.
    package var unordered = false
    /// When the ticks are.
    package var ticks = OracleTicks.every(60_000, from: nil, until: nil)

    /// The zone of definitions that name none.
    package var zone = "UTC"
    /// Who is in which cohort's list from the beginning.
    package var uploads: [OracleUpload] = []

    /// The defaults.
    package init() {}
}

/// A user in a cohort's list.
package struct OracleUpload: Sendable {
    /// The id of the cohort.
    package var cohort: String
    /// The id of the user.
    package var user: String
}

/// A line that counts.
struct OracleEvent {
    var line: OracleLine
    var arrival: Int64
    var time: Int64
    var user: [UInt8]
    var type: [UInt8]

    /// Sets properties and makes the user known, and is no event to any clause.
    var isIdentify: Bool { type == Array("$identify".utf8) }
}

/// A history after the rules of arrival, rejection and dedupe.
struct OracleLog {
    /// Accepted lines that are no duplicates, in log order.
    private(set) var events: [OracleEvent] = []
    /// Arrivals of the first and the last accepted line, duplicates included.
    private(set) var firstArrival: Int64?
    private(set) var lastArrival: Int64?
    /// The running maximum behind the last line; lines that are left out on purpose move it too.
    private(set) var newestArrival: Int64?
    private(set) var rejected = 0

    init(_ lines: [OracleLine], _ settings: OracleSettings) {
        var newest: Int64?
        defer { newestArrival = newest }
        // Every accepted line that was not dropped: whose id, which, and when it arrived.
        var seen: [(owner: [UInt8], id: [UInt8], arrival: Int64)] = []
        for line in lines {
            guard let type = id(line.type) else {
                rejected += 1
                continue
            }
            let own = line.received ?? line.time
            let arrival = own.map { max($0, newest ?? $0) }
            if type == Array("$groupidentify".utf8) {
                // Left out on purpose: it only moves the running maximum.
                newest = arrival ?? newest
                continue
            }
            let userID = id(line.user)
            let deviceID = id(line.device)
            let user = userID ?? deviceID.map { Array("device:".utf8) + $0 }
            guard let user, let owner = deviceID ?? userID, let arrival else {
                rejected += 1
                continue
            }
            let time = line.time ?? arrival
            if time > arrival + settings.futureMax {
                rejected += 1
                continue
            }
            newest = arrival
            firstArrival = firstArrival ?? arrival
            lastArrival = arrival
            if let insertID = id(line.insertID) {
                let isDuplicate = seen.contains {
                    $0.owner == owner && $0.id == insertID
                        && arrival - $0.arrival < settings.dedupeWindow
                }
                if isDuplicate { continue }
                seen.append((owner, insertID, arrival))
            }
            events.append(
                OracleEvent(line: line, arrival: arrival, time: time, user: user, type: type)
            )
        }
    }
}

/// The bytes of an id; nil where it is absent, null or empty.
private func id(_ value: OracleValue?) -> [UInt8]? {
    switch value {
    case .text(let text): text.isEmpty ? nil : Array(text.utf8)
    case .number(let digits): Array(digits.utf8)
    default: nil
    }
}
