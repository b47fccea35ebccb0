import Basics
import Testing

@testable import Daemon

@Suite("Ticks of the wall clock")
struct TickSourceTests {
    private func instant(_ milliseconds: Int64) -> EventTime {
        EventTime(milliseconds: milliseconds)
    }

    private func source(width: Int64, now: Int64) -> TickSource {
        var ticks = TickSource(width: width)
        ticks.begin(now: instant(now))
        return ticks
    }

    @Test("the first tick is the first boundary after the start, also for a start on a boundary")
    func first() {
        #expect(source(width: 10_000, now: 25_001).floor == instant(30_000))
        #expect(source(width: 10_000, now: 30_000).floor == instant(40_000))
        #expect(source(width: 10_000, now: -1).floor == instant(0))
    }

    @Test("before a clock is believed no tick is ruled out but those that were done")
    func unknown() {
        var ticks = TickSource(width: 10_000)
        #expect(ticks.floor == .distantPast)
        // Of an earlier run, with another width.
        ticks.raise(to: instant(25_000))
        #expect(ticks.floor == instant(30_000))
        #expect(ticks.due(now: instant(29_999), monotonic: 0) == nil)
        #expect(ticks.due(now: instant(31_000), monotonic: 0) == instant(30_000))
    }

    @Test("a boundary is owed from its instant on, once")
    func once() {
        var ticks = source(width: 1000, now: 500)
        #expect(ticks.due(now: instant(999), monotonic: 0) == nil)
        #expect(ticks.due(now: instant(1000), monotonic: 1) == instant(1000))
        #expect(ticks.due(now: instant(1001), monotonic: 2) == instant(1000))
        ticks.done(instant(1000))
        #expect(ticks.due(now: instant(1999), monotonic: 3) == nil)
        #expect(ticks.due(now: instant(2000), monotonic: 4) == instant(2000))
    }

    @Test("of several boundaries that passed only the newest is owed")
    func newest() {
        var ticks = source(width: 1000, now: 0)
        #expect(ticks.due(now: instant(5400), monotonic: 0) == instant(5000))
        ticks.done(instant(5000))
        #expect(ticks.due(now: instant(5400), monotonic: 1) == nil)
    }

    @Test("a failed attempt is repeated after a moment, for the newest boundary then")
    func retry() {
        var ticks = source(width: 1000, now: 0)
        #expect(ticks.due(now: instant(1000), monotonic: 70) == instant(1000))
        ticks.failed(monotonic: 70)
        #expect(ticks.due(now: instant(1400), monotonic: 69 + TickSource.retryMilliseconds) == nil)
        #expect(
            ticks.due(now: instant(2100), monotonic: 70 + TickSource.retryMilliseconds)
                == instant(2000)
        )
        ticks.done(instant(2000))
        #expect(
            ticks.due(now: instant(3000), monotonic: 71 + TickSource.retryMilliseconds)
                == instant(3000)
        )
    }

    @Test("a wall clock that goes back owes nothing until it has passed the last tick again")
    func back() {
        var ticks = source(width: 1000, now: 0)
        ticks.done(instant(9000))
        #expect(ticks.due(now: instant(4000), monotonic: 0) == nil)
        #expect(ticks.due(now: instant(9999), monotonic: 0) == nil)
        #expect(ticks.due(now: instant(10_000), monotonic: 0) == instant(10_000))
        ticks.done(instant(3000))
        #expect(ticks.due(now: instant(9000), monotonic: 0) == nil)
    }
}
