import Basics
import Templates

/// The limits of one destination, each with its windows: one for the destination, or one per list, route or user.
struct LimitSet: Sendable {
    /// What a request takes, until its answer settles it.
    struct Reservation: Sendable {
        var sync: String
        var route: String
        var items: Int
        /// Hashes of the users' rows; empty where no limit is per user.
        var users: [UInt64] = []
    }

    /// Who asks, and by which route.
    struct Place: Sendable {
        /// nil for the destination as a whole: limits per list are then left out.
        var sync: String?
        /// nil where that is not known yet: limits per route are then left out.
        var route: String?
    }

    private let limits: [RateLimit]
    private var windows: [[String: RateWindow]]
    private var userWindows: [Int: UserWindows] = [:]

    init(_ limits: [RateLimit]) {
        self.limits = limits
        windows = Array(repeating: [:], count: limits.count)
        for (index, limit) in limits.enumerated() where limit.scope == .user {
            userWindows[index] = UserWindows(count: limit.count, per: limit.perMilliseconds)
        }
    }

    /// Whether a limit is per user, so that reservations need to know them.
    var needsUsers: Bool { !userWindows.isEmpty }

    /// The longest span of a limit, in milliseconds; nil without limits.
    var longestSpan: Int64? { limits.map(\.perMilliseconds).max() }

    /// How many requests and items may leave now; nil for as many as one likes.
    func available(
        _ place: Place,
        now: Int64,
        factor: Double
    ) -> (requests: Int?, items: Int?) {
        var requests: Int?
        var items: Int?
        forEach(place) { limit, window in
            let available = window.available(now: now, factor: factor)
            switch limit.unit {
            case .requests: requests = min(requests ?? .max, available)
            case .items: items = min(items ?? .max, available)
            }
        }
        return (requests, items)
    }

    /// When a request with so many items may leave; nil where only an answer can tell.
    func availability(_ place: Place, items: Int, now: Int64, factor: Double) -> Int64? {
        var time: Int64? = now
        forEach(place) { limit, window in
            let wanted = limit.unit == .requests ? 1 : min(items, window.capacity(factor: factor))
            let own = window.availability(of: wanted, now: now, factor: factor)
            if let known = time, let own { time = max(known, own) } else { time = nil }
        }
        return time
    }

    /// When this user may be sent; nil where only an answer can tell.
    func availability(ofUser user: UInt64, now: Int64) -> Int64? {
        var time: Int64? = now
        for windows in userWindows.values {
            let own = windows.availability(of: user, now: now)
            if let known = time, let own { time = max(known, own) } else { time = nil }
        }
        return time
    }

    /// Hands out what a request takes.
    mutating func reserve(_ reservation: Reservation) {
        update(reservation) { $0.reserve($1) }
        for index in userWindows.keys {
            for user in reservation.users { userWindows[index]?.reserve(user) }
        }
    }

    /// Takes back what a request that never left would have taken.
    mutating func release(_ reservation: Reservation) {
        update(reservation) { $0.release($1) }
        for index in userWindows.keys {
            for user in reservation.users { userWindows[index]?.release(user) }
        }
    }

    /// Counts a request that ended, and believes what its answer says is left.
    mutating func settle(
        _ reservation: Reservation,
        answer: HTTPAnswer?,
        now: Int64,
        wallClock: EventTime
    ) {
        update(reservation) { $0.settle($1, now: now) }
        for index in userWindows.keys {
            for user in reservation.users { userWindows[index]?.settle(user, now: now) }
        }
        guard let answer else { return }
        for (index, limit) in limits.enumerated() where limit.scope != .user {
            guard let name = limit.remainingHeader,
                let remaining = answer.header(name).flatMap(Self.number)
            else { continue }
            let wait = limit.resetHeader.flatMap { Self.wait($0, answer, wallClock) }
            let key = Self.key(limit, reservation.sync, reservation.route)
            windows[index][key]?.observe(remaining: Int(remaining), wait: wait, now: now)
        }
    }

    /// Forgets users whose span is over.
    mutating func advance(to now: Int64) {
        for index in userWindows.keys { userWindows[index]?.advance(to: now) }
    }

    /// Forgets the windows of a sync that is no more.
    mutating func forget(sync: String) {
        for (index, limit) in limits.enumerated() where limit.scope == .audience {
            windows[index][sync] = nil
        }
    }

    private func forEach(_ place: Place, _ body: (RateLimit, RateWindow) -> Void) {
        for (index, limit) in limits.enumerated() where limit.scope != .user {
            if limit.scope == .route, place.route == nil { continue }
            if limit.scope == .audience, place.sync == nil { continue }
            let key = Self.key(limit, place.sync ?? "", place.route ?? "")
            body(limit, windows[index][key] ?? Self.window(limit))
        }
    }

    private mutating func update(
        _ reservation: Reservation,
        _ body: (inout RateWindow, Int) -> Void
    ) {
        for (index, limit) in limits.enumerated() where limit.scope != .user {
            let key = Self.key(limit, reservation.sync, reservation.route)
            let number = limit.unit == .requests ? 1 : reservation.items
            body(&windows[index][key, default: Self.window(limit)], number)
        }
    }

    private static func window(_ limit: RateLimit) -> RateWindow {
        RateWindow(count: limit.count, per: limit.perMilliseconds)
    }

    private static func key(_ limit: RateLimit, _ sync: String, _ route: String) -> String {
        switch limit.scope {
        case .audience: sync
        case .route: route
        case .destination, .user: ""
        }
    }

    private static func wait(
        _ reset: RateLimit.Reset,
        _ answer: HTTPAnswer,
        _ wallClock: EventTime
    ) -> Int64? {
        guard let value = answer.header(reset.name).flatMap(number) else { return nil }
        let wait: Int64 =
            switch reset.unit {
            case .seconds: value * 1000
            case .epochSeconds: value * 1000 - wallClock.milliseconds
            case .epochMilliseconds: value - wallClock.milliseconds
            }
        return Throttle.clamped(wait)
    }

    /// Digits, and at most 15 of them, so that nothing overflows on the way.
    private static func number(_ text: String) -> Int64? {
        guard (1...15).contains(text.utf8.count), text.utf8.allSatisfy({ $0 &- 0x30 < 10 }) else {
            return nil
        }
        return Int64(text)
    }
}
