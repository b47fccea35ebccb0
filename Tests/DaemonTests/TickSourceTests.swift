import Basics
import Testing

@testable import Daemon

@Suite("Ticks of the wall clock")
struct TickSourceTests {
    private func instant(_ milliseconds: Int64) -> EventTime {
        EventTime(milliseconds: milliseconds)
    }

    @Test("the first tick is the first boundary after the start, also for a start on a boundary")
    func first() {
        #expect(TickSource(width: 10_000, now: instant(25_001)).first == instant(30_000))
        #expect(TickSource(width: 10_000, now: instant(30_000)).first == instant(40_000))
        #expect(TickSource(width: 10_000, now: instant(-1)).first == instant(0))
    }

    @Test("a boundary is owed from its instant on, once")
    func once() {
        var ticks = TickSource(width: 1000, now: instant(500))
        #expect(ticks.due(now: instant(999), monotonic: 0) == nil)
        #expect(ticks.due(now: instant(1000), monotonic: 1) == instant(1000))
        #expect(ticks.due(now: instant(1001), monotonic: 2) == instant(1000))
        ticks.done(instant(1000))
        #expect(ticks.due(now: instant(1999), monotonic: 3) == nil)
        #expect(ticks.due(now: instant(2000), monotonic: 4) == instant(2000))
    }

    @Test("of several boundaries that passed only the newest is owed")
    func newest() {
        var ticks = TickSource(width: 1000, now: instant(0))
        #expect(ticks.due(now: instant(5400), monotonic: 0) == instant(5000))
        ticks.done(instant(5000))
        #expect(ticks.due(now: instant(5400), monotonic: 1) == nil)
    }

    @Test("a failed attempt is repeated after a moment, for the newest boundary then")
    func retry() {
        var ticks = TickSource(width: 1000, now: instant(0))
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
        var ticks = TickSource(width: 1000, now: instant(0))
        ticks.done(instant(9000))
        #expect(ticks.due(now: instant(4000), monotonic: 0) == nil)
        #expect(ticks.due(now: instant(9999), monotonic: 0) == nil)
        #expect(ticks.due(now: instant(10_000), monotonic: 0) == instant(10_000))
        ticks.done(instant(3000))
        #expect(ticks.due(now: instant(9000), monotonic: 0) == nil)
    }
}
