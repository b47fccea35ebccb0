import Basics

/// Who tried wrong keys, by address, for as long as that matters.
///
/// 10 wrong keys of one address in a minute are looked at; then it waits, whatever it brings, so that nothing can be
/// learned by trying on. Of IPv6 the first 64 bits count as the address: whoever has one has all of them.
struct FailedAttempts: Sendable {
    /// So many wrong keys of one address are looked at in a period.
    static let attemptsMax = 10
    /// The period in milliseconds.
    static let periodMilliseconds: Int64 = 60_000
    /// So many addresses are remembered; beyond it the one forgotten is that with the fewest wrong keys.
    static let addressesMax = 4096

    private var buckets: [NetworkAddress?: TokenBucket] = [:]

    /// How many addresses are remembered.
    var count: Int { buckets.count }

    /// For how many milliseconds an address has to wait; 0 for one that need not.
    ///
    /// Nil stands for all that are not known.
    mutating func wait(of address: NetworkAddress?, now: Int64) -> Int64 {
        buckets[Self.place(of: address)]?.wait(now: now) ?? 0
    }

    /// Notes a wrong key.
    mutating func note(_ address: NetworkAddress?, now: Int64) {
        let place = Self.place(of: address)
        if buckets[place] == nil {
            if buckets.count >= Self.addressesMax { forgetSome(now: now) }
            buckets[place] = TokenBucket(
                capacity: Self.attemptsMax,
                periodMilliseconds: Self.periodMilliseconds,
                now: now
            )
        }
        _ = buckets[place]?.take(now: now)
    }

    private mutating func forgetSome(now: Int64) {
        for place in Array(buckets.keys) where buckets[place]?.isFull(now: now) ?? false {
            buckets[place] = nil
        }
        if buckets.count < Self.addressesMax { return }
        if let mildest = buckets.max(by: { $0.value.level < $1.value.level }) {
            buckets[mildest.key] = nil
        }
    }

    private static func place(of address: NetworkAddress?) -> NetworkAddress? {
        address.map { address in
            let real = address.unmapped
            return real.isIPv6 ? real.masked(to: 64) : real
        }
    }
}
