import Basics

/// One limit that each user has on their own, such as one request a second.
///
/// Remembers the users of the last span by a hash of their row, ``usersMax`` at most: beyond that nobody is
/// sent before one of them is over. Two users of one hash share a window, which errs low as well.
struct UserWindows: Sendable {
    /// The most users remembered.
    static let usersMax = 65_536

    private let count: Int
    private let per: Int64
    private var windows: [UInt64: RateWindow] = [:]
    private var nextSweep = Int64.min

    init(count: Int, per: Int64) {
        self.count = count
        self.per = per
    }

    /// When the user may be sent; nil where only an answer can tell.
    func availability(of user: UInt64, now: Int64) -> Int64? {
        if let window = windows[user] { return window.availability(of: 1, now: now, factor: 1) }
        return windows.count < Self.usersMax ? now : max(now + 1, nextSweep)
    }

    /// Hands out one request for the user.
    mutating func reserve(_ user: UInt64) {
        windows[user, default: RateWindow(count: count, per: per)].reserve(1)
    }

    /// Takes back one that never left.
    mutating func release(_ user: UInt64) {
        windows[user]?.release(1)
    }

    /// Counts one that was answered.
    mutating func settle(_ user: UInt64, now: Int64) {
        windows[user]?.settle(1, now: now)
    }

    /// Forgets users whose span is over, once per span.
    mutating func advance(to now: Int64) {
        guard now >= nextSweep else { return }
        nextSweep = now + per + 1
        windows = windows.filter { $0.value.available(now: now, factor: 1) < count }
    }
}
