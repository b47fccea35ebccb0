import Basics
import Cohorts
import Engine
import Events

/// A shard whose users send just what makes ticks expensive; its ticks are timed slice by slice.
struct TickBench: ~Copyable {
    /// How large everything is.
    struct Sizes {
        var users = 1_000_000
        /// Events of each user before the first tick, the first one aside.
        var history = 5
        /// Users who send something before each tick.
        var touched = 50_000
        /// Ticks of those.
        var ticks = 100
        /// Midnights, and evaluations of everyone.
        var repetitions = 3
        /// Users that one slice of a tick looks at.
        var slice = 256
    }

    /// How long the ticks took.
    struct Figures {
        let cohorts: Int
        var touched: TickSeries
        var midnight: TickSeries
        var full: TickSeries
    }

    private let sizes: Sizes
    private var shard: Shard
    private var decoder: EventDecoder
    private var traffic: TickTraffic
    private var now: EventTime
    private var newestArrival: EventTime?
    private var deltas: [Delta] = []

    private static var minute: Int64 { 60_000 }
    private static var day: Int64 { 86_400_000 }
    /// 2026-01-05, a Monday, at noon: behind a day of history.
    private static var start: EventTime { EventTime(milliseconds: 1_767_614_400_000) }

    /// A shard that nobody has sent anything to.
    init(_ sizes: Sizes, seed: UInt64) {
        self.sizes = sizes
        let plan = TickDefinitions.plan()
        var settings = ShardSettings()
        settings.usersMax = sizes.users
        shard = Shard(plan: plan, settings: settings)
        decoder = EventDecoder(
            extraction: plan.extraction,
            eventBytesMax: 1024,
            futureMax: Self.day
        )
        traffic = TickTraffic(userCount: sizes.users, seed: seed)
        now = Self.start - Self.day
    }

    /// Times all ticks.
    mutating func run() -> Figures {
        sendHistory()
        _ = tick(Self.start)
        var figures = Figures(
            cohorts: shard.plan.cohorts.count,
            touched: TickSeries(users: sizes.touched),
            midnight: TickSeries(users: max(1, sizes.users / 2)),
            full: TickSeries(users: sizes.users)
        )
        for _ in 0..<sizes.repetitions { figures.full.timings.append(evaluateAll()) }
        for _ in 0..<sizes.ticks { figures.touched.timings.append(touchAndTick()) }
        for _ in 0..<sizes.repetitions {
            figures.midnight.timings.append(midnight(users: figures.midnight.users))
        }
        return figures
    }

    private mutating func sendHistory() {
        let count = sizes.users * (1 + sizes.history)
        let began = now
        for number in 0..<count {
            now = began + Self.day * Int64(number) / Int64(count)
            let user = number % sizes.users
            if number < sizes.users {
                traffic.login(user, at: now) { apply($0, &shard, &decoder, &newestArrival) }
            } else {
                traffic.history(user, at: now) { apply($0, &shard, &decoder, &newestArrival) }
            }
        }
    }

    /// Has every condition of every user evaluated, as after a start with new definitions.
    private mutating func evaluateAll() -> TickTiming {
        shard.beginRebuild(of: MissingTraces())
        shard.finishRebuild()
        return tick(now + Self.minute)
    }

    private mutating func touchAndTick() -> TickTiming {
        let began = now
        traffic.pick(sizes.touched)
        for place in 0..<sizes.touched {
            now = began + (Self.minute - 1) * Int64(place) / Int64(sizes.touched)
            traffic.touch(traffic.picked(place), at: now) {
                apply($0, &shard, &decoder, &newestArrival)
            }
        }
        return tick(began + Self.minute)
    }

    /// Lets users in over the day; at midnight they all leave.
    private mutating func midnight(users: Int) -> TickTiming {
        let midnight = (now + 2 * Self.minute).roundedUp(toMultipleOf: Self.day)
        let began = now
        let span = midnight - began - 2 * Self.minute
        traffic.pick(users)
        for place in 0..<users {
            now = began + span * Int64(place) / Int64(users)
            traffic.visit(traffic.picked(place), at: now) {
                apply($0, &shard, &decoder, &newestArrival)
            }
        }
        _ = tick(midnight - Self.minute)
        return tick(midnight)
    }

    /// One tick; between its slices events could be applied.
    private mutating func tick(_ instant: EventTime) -> TickTiming {
        shard.settle()
        var timing = TickTiming()
        timing.begin { shard.beginTick(instant) }
        var isOver = false
        while !isOver {
            // As a daemon does, which hands on what a slice found.
            deltas.removeAll(keepingCapacity: true)
            timing.slice { isOver = shard.continueTick(users: sizes.slice, deltas: &deltas) }
            timing.flips += deltas.count
        }
        shard.raiseFloor(to: instant + Self.minute)
        now = instant
        return timing
    }
}

/// Gives one event to a shard, which takes it.
private func apply(
    _ bytes: ByteView,
    _ shard: inout Shard,
    _ decoder: inout EventDecoder,
    _ newestArrival: inout EventTime?
) {
    guard case .events = decoder.begin(bytes, source: .replay) else {
        preconditionFailure("refused: \(bytes.string)")
    }
    while let outcome = decoder.next(previousArrival: newestArrival) {
        guard case .event(let event) = outcome else {
            preconditionFailure("refused: \(bytes.string)")
        }
        newestArrival = event.arrival
        let taken = shard.apply(event)
        precondition(taken == .taken, "a user beyond the limit: \(bytes.string)")
    }
}
