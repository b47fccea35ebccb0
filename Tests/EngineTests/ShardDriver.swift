import Basics
import Cohorts
import Configuration
import Engine
import Events
import Replay
import TestKit

/// Drives a shard as a worker does, step by step, so that it can be stored and restored in between.
struct ShardDriver: ~Copyable {
    /// What there is to do, in order.
    enum Step {
        case line(String)
        case tick(Int64)
    }

    private(set) var shard: Shard
    private var decoder: EventDecoder
    private var newestArrival: EventTime?
    /// The same of history that is read again.
    private var historyArrival: EventTime?
    private let settings: ShardSettings
    private let uploads: [OracleUpload]
    private var isTicking = false
    private var sliceDeltas: [Delta] = []
    /// What whoever reads the ticks knows of synced properties.
    private(set) var values = ValueReader()

    init(_ history: OracleCase, _ plan: Plan, usersMax: Int = .max) {
        var settings = ShardSettings(history.configuration)
        settings.usersMax = usersMax
        self.settings = settings
        uploads = history.settings.uploads
        shard = Shard(plan: plan, settings: settings)
        decoder = Self.decoder(history, plan)
        for (user, cohort) in plan.numbers(of: history.settings.uploads) {
            user.withByteView {
                shard.upload($0, cohort: cohort, isIn: true, at: .distantPast)
            }
        }
    }

    private static func decoder(_ history: OracleCase, _ plan: Plan) -> EventDecoder {
        EventDecoder(
            extraction: plan.extraction,
            eventBytesMax: history.configuration.eventBytesMax,
            futureMax: history.configuration.limits.futureMaxMilliseconds
        )
    }

    /// Lines and ticks in the order in which replay would take them.
    static func steps(_ history: OracleCase, _ oracle: Oracle) -> [Step] {
        var steps: [Step] = []
        var ticks = oracle.ticks.map(\.instant)[...]
        var newest: Int64?
        for line in history.lines {
            let moved = Oracle.arrival(of: line, after: newest, history.settings)
            newest = moved.newest
            if moved.isAccepted, !history.settings.unordered, let newest {
                while let tick = ticks.first, tick < newest {
                    steps.append(.tick(tick))
                    ticks = ticks.dropFirst()
                }
            }
            steps.append(.line(line.json))
        }
        return steps + ticks.map { .tick($0) }
    }

    /// Does one step; a tick gives its record.
    mutating func take(_ step: Step) -> TickRecord? {
        switch step {
        case .line(let text):
            apply(text, isHistory: false)
            return nil
        case .tick(let instant):
            var deltas: [Delta] = []
            let tick = EventTime(milliseconds: instant)
            shard.tick(tick, deltas: &deltas)
            values.take(shard, deltas)
            shard.sortByCohortAndUser(&deltas)
            return TickRecord(shard, tick, deltas)
        }
    }

    /// Does one step, a tick of it slice by slice with the lines behind it in between; gives the record of a
    /// tick that is over now.
    mutating func takeInSlices(
        _ step: Step,
        _ generator: inout SeededGenerator
    ) -> TickRecord? {
        switch step {
        case .line(let text):
            apply(text, isHistory: false)
            return generator.chance(percent: 50) ? slice(generator.below(3)) : nil
        case .tick(let instant):
            let last = slice(.max)
            shard.beginTick(EventTime(milliseconds: instant))
            isTicking = true
            return last
        }
    }

    /// Does a slice of the tick that was begun, if one is; gives its record when it is over.
    mutating func slice(_ users: Int) -> TickRecord? {
        guard isTicking, let tick = shard.lastTick,
            shard.continueTick(users: users, deltas: &sliceDeltas)
        else { return nil }
        isTicking = false
        values.take(shard, sliceDeltas)
        shard.sortByCohortAndUser(&sliceDeltas)
        defer { sliceDeltas = [] }
        return TickRecord(shard, tick, sliceDeltas)
    }

    private mutating func apply(_ text: String, isHistory: Bool) {
        text.withByteView { bytes in
            guard case .events = decoder.begin(bytes, source: .replay) else { return }
            while let outcome = decoder.next(previousArrival: newestArrival) {
                switch outcome {
                case .event(let event):
                    newestArrival = event.arrival
                    _ = isHistory ? shard.reapply(event) : shard.apply(event)
                case .filtered(let arrival): newestArrival = arrival ?? newestArrival
                case .rejected: break
                }
            }
        }
    }

    /// Reads everyone's values, of whom there is nobody before the first tick.
    mutating func beginReading() { values.take(shard, []) }

    /// Lets a test spoil the shard.
    mutating func tamper(_ body: (inout Shard) -> Void) { body(&shard) }

    /// Hands over everything, or what changed, as it would be stored.
    mutating func encode(all: Bool, into records: inout [StoredRecord]) {
        if all {
            records = shard.stored()
        } else {
            shard.encodeChanges { records.append(StoredRecord(kind: $0, payload: $1.array)) }
        }
    }

    /// Goes on with a shard that was made from stored records, as after a restart.
    mutating func restart(
        _ history: OracleCase,
        _ plan: Plan,
        from records: [StoredRecord]
    ) throws -> RestoreReport {
        let report = try shard.restart(plan, settings, from: records)
        values.restart()
        decoder = Self.decoder(history, plan)
        return report
    }

    /// Reads history again for traces that the stored records lacked.
    mutating func rebuild(_ traces: MissingTraces, from steps: ArraySlice<Step>) {
        beginRebuild(traces)
        for case .line(let text) in steps { reread(text) }
        tamper { $0.finishRebuild() }
    }

    /// Begins to read history again, of which ``reread(_:)`` takes line after line.
    mutating func beginRebuild(_ traces: MissingTraces) {
        historyArrival = nil
        shard.beginRebuild(of: traces)
        for (user, cohort) in shard.plan.numbers(of: uploads) where traces.uploads.contains(cohort)
        {
            user.withByteView {
                shard.reupload($0, cohort: cohort, isIn: true, at: .distantPast)
            }
        }
    }

    /// Takes a line of history.
    mutating func reread(_ text: String) {
        swap(&newestArrival, &historyArrival)
        apply(text, isHistory: true)
        swap(&newestArrival, &historyArrival)
    }
}

/// A record of a shard's state, copied.
struct StoredRecord {
    var kind: StateRecord
    var payload: [UInt8]
}
