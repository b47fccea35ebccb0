import Basics
import Templates
import Testing

@testable import Delivery

@Suite("Windows of limits")
struct RateWindowTests {
    @Test(
        "no span holds more than the count, whatever is asked for and however long answers take",
        arguments: [(1, 1), (3, 1000), (100, 60_000), (128, 500), (129, 500), (5000, 60_000)]
    )
    func never(_ count: Int, _ per: Int) {
        for seed in 0..<20 {
            var random = SeededGenerator(seed: UInt64(seed))
            var window = RateWindow(count: count, per: Int64(per))
            var underWay: [(end: Int64, count: Int)] = []
            var arrivals: [(time: Int64, count: Int)] = []
            var now: Int64 = 0
            for _ in 0..<400 {
                now += Int64(random.below(max(2, per / 10)))
                for request in underWay where request.end <= now {
                    window.settle(request.count, now: now)
                }
                underWay.removeAll { $0.end <= now }
                let available = window.available(now: now, factor: 1)
                guard available > 0 else { continue }
                let number = random.number(in: 1...available)
                window.reserve(number)
                let wait = Int64(random.below(max(2, per / 5)))
                underWay.append((now + wait, number))
                arrivals.append((now + Int64(random.below(Int(wait) + 1)), number))
            }
            arrivals.sort { $0.time < $1.time }
            for (place, first) in arrivals.enumerated() {
                var sum = 0
                for later in arrivals[place...] where later.time - first.time <= Int64(per) {
                    sum += later.count
                }
                #expect(sum <= count, "seed \(seed): \(sum) from \(first.time) on")
            }
        }
    }

    @Test("a small count is exact: what is over is there again at once")
    func exact() {
        var window = RateWindow(count: 3, per: 1000)
        for time in [0, 100, 200] as [Int64] {
            window.reserve(1)
            window.settle(1, now: time)
        }
        #expect(
            [200, 1000, 1001, 1101, 1201].map { window.available(now: $0, factor: 1) } == [
                0, 0, 1, 2, 3,
            ]
        )
        #expect(window.availability(of: 2, now: 200, factor: 1) == 1101)
    }

    @Test("a large count lets through at most a 128th of the span late")
    func coarse() {
        var window = RateWindow(count: 12_800, per: 128_000)
        for time in 0..<12_800 as Range<Int64> {
            window.reserve(1)
            window.settle(1, now: time * 10)
        }
        for time in stride(from: Int64(128_000), to: 250_000, by: 777) {
            let exact = min(12_800, Int((time - 128_001) / 10) + 1)
            let available = window.available(now: time, factor: 1)
            #expect(
                available <= exact && available >= exact - 101,
                "\(time): \(available), \(exact)"
            )
        }
    }

    @Test("what never left is given back; what is under way counts until it ends")
    func release() {
        var window = RateWindow(count: 10, per: 1000)
        window.reserve(6)
        #expect(window.available(now: 50_000, factor: 1) == 4)
        #expect(window.availability(of: 5, now: 50_000, factor: 1) == nil)
        window.release(6)
        #expect(window.available(now: 50_000, factor: 1) == 10)
        #expect(window.available(now: 50_000, factor: 0.7) == 7)
        #expect(window.available(now: 50_000, factor: 0.01) == 1)
    }

    @Test("what the partner says is left holds until it counts anew")
    func observed() {
        var window = RateWindow(count: 100, per: 1000)
        window.reserve(1)
        window.settle(1, now: 0)
        window.observe(remaining: 2, wait: 5000, now: 0)
        #expect(window.available(now: 4999, factor: 1) == 2)
        #expect(window.availability(of: 3, now: 10, factor: 1) == 5000)
        #expect(window.available(now: 5000, factor: 1) == 100)
    }
}

@Suite("Windows of users")
struct UserWindowsTests {
    @Test("more users than are remembered wait, and are let through when others are over")
    func full() {
        var windows = UserWindows(count: 1, per: 1000)
        windows.advance(to: 0)
        for user in 0..<UInt64(UserWindows.usersMax) {
            windows.reserve(user)
            windows.settle(user, now: 10)
        }
        #expect(windows.availability(of: 7, now: 10) == 1011)
        let time = windows.availability(of: .max, now: 10)
        #expect(time == 1001)
        windows.advance(to: 1001)
        let later = windows.availability(of: .max, now: 1001) ?? 0
        windows.advance(to: later)
        #expect(windows.availability(of: .max, now: later) == later)
    }
}

@Suite("The breaker")
struct CircuitBreakerTests {
    private let rule = RetryRule(initialMilliseconds: 1000, maxMilliseconds: 8000)

    private func wait(_ breaker: CircuitBreaker, _ now: Int64) -> Int64? {
        if case .open(let until) = breaker.state { until - now } else { nil }
    }

    @Test("five failures in a row open it, four do not")
    func consecutive() {
        var random = SeededGenerator(seed: 1)
        var breaker = CircuitBreaker(rule)
        for token in 1...4 as ClosedRange<UInt64> {
            #expect(!breaker.fail(token, now: 0, generator: &random))
        }
        let isReported = breaker.succeed(5, counts: true)
        #expect(!isReported)
        for token in 6...9 as ClosedRange<UInt64> {
            #expect(!breaker.fail(token, now: 0, generator: &random))
        }
        #expect(breaker.allows)
        #expect(breaker.fail(10, now: 0, generator: &random))
        #expect(!breaker.allows)
        #expect(breaker.openSince == 0)
    }

    @Test("more than half of the last twenty opens it; half does not, nor does 429 count")
    func share() {
        var random = SeededGenerator(seed: 1)
        var breaker = CircuitBreaker(rule)
        for token in 0..<100 as Range<UInt64> {
            _ = breaker.succeed(token, counts: false)
            let opens =
                token % 2 == 0
                ? breaker.fail(token, now: 0, generator: &random)
                : breaker.succeed(token, counts: true)
            #expect(!opens, "\(token)")
        }
        #expect(!breaker.fail(200, now: 0, generator: &random))
        #expect(breaker.fail(201, now: 0, generator: &random))
    }

    @Test("one probe at a time; it fails: longer waits; it works: closed")
    func probing() {
        for seed in 0..<50 {
            var random = SeededGenerator(seed: UInt64(seed))
            var breaker = CircuitBreaker(rule)
            for token in 1...5 as ClosedRange<UInt64> {
                _ = breaker.fail(token, now: 0, generator: &random)
            }
            var now: Int64 = 0
            for (round, bound) in ([1000, 2000, 4000, 8000, 8000] as [Int64]).enumerated() {
                let wait = wait(breaker, now) ?? 0
                #expect((1...bound).contains(wait), "seed \(seed), round \(round)")
                breaker.advance(to: now + wait - 1)
                #expect(!breaker.allows)
                now += wait
                breaker.advance(to: now)
                #expect(breaker.allows)
                breaker.begin(100)
                #expect(!breaker.allows)
                #expect(!breaker.fail(7, now: now, generator: &random), "it left before")
                #expect(breaker.fail(100, now: now, generator: &random))
            }
            breaker.advance(to: now + 8000)
            breaker.begin(101)
            let isClosed = breaker.succeed(101, counts: false)
            #expect(isClosed)
            #expect(breaker.state == .closed && breaker.openSince == nil)
        }
    }
}

@Suite("Adaptive concurrency")
struct AdaptiveConcurrencyTests {
    @Test(
        "it grows by one while its limit is reached and answers are no slower, up to the template's"
    )
    func growth() {
        var concurrency = AdaptiveConcurrency(ConcurrencyRule(max: 8, isAdaptive: true))
        var limits: [Int] = []
        for round in 1...10 as ClosedRange<Int64> {
            concurrency.begin(inFlight: concurrency.limit)
            concurrency.end(roundTrip: 100, isBackPressure: false, now: round * 1000)
            limits.append(concurrency.limit)
        }
        #expect(limits == [2, 3, 4, 5, 6, 7, 8, 8, 8, 8])
        concurrency.end(roundTrip: 100, isBackPressure: true, now: 20_000)
        #expect(concurrency.limit == 7)
        concurrency.begin(inFlight: 7)
        concurrency.end(roundTrip: 900, isBackPressure: false, now: 30_000)
        #expect(concurrency.limit == 7, "slower than before")
        concurrency.end(roundTrip: 1, isBackPressure: false, now: 40_000)
        #expect(concurrency.limit == 7, "the limit was not reached")
        for round in 0..<100 as Range<Int64> {
            concurrency.end(roundTrip: 100, isBackPressure: true, now: 50_000 + round * 1000)
        }
        #expect(concurrency.limit == 1)
    }

    @Test("what is not adaptive stays")
    func fixed() {
        var concurrency = AdaptiveConcurrency(ConcurrencyRule(max: 3))
        concurrency.end(roundTrip: 1, isBackPressure: true, now: 1)
        #expect(concurrency.limit == 3)
    }
}

@Suite("Throttling")
struct ThrottleTests {
    @Test("requests that were under way together lower the rate once")
    func once() {
        var random = SeededGenerator(seed: 1)
        var throttle = Throttle(retry: RetryRule(), window: 60_000)
        for _ in 0..<8 {
            throttle.slowDown(sentAt: 90, retryAfter: 5000, now: 100, generator: &random)
        }
        #expect(throttle.factor(now: 100) == 0.7)
        #expect(throttle.pausedUntil == 5100)
        throttle.slowDown(sentAt: 6000, retryAfter: nil, now: 6100, generator: &random)
        #expect(abs(throttle.factor(now: 6100) - 0.49) < 1e-9)
        #expect(throttle.nextRise(now: 6100) == 66_100)
    }
}
