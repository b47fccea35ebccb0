package import Basics
import Synchronization

/// Writes log lines to a sink: drops what is below the level, and thins out repeats.
///
/// A line with a `repeatKey` is written at most once per interval for its event and key; the next one written
/// carries `repeated=N`, the number left out since the last. ``flush()`` reports what is still uncounted.
///
/// Any thread may call it. The sink gets one whole line with its newline per call, outside the lock, so lines
/// of different threads may arrive in either order; it must write them in one go and must not fail.
package final class Logger: Sendable {
    /// Takes the bytes of one line.
    package typealias Sink = @Sendable ([UInt8]) -> Void

    /// How many keys of repeats are remembered; beyond it the one written longest ago is reported and forgotten.
    package static let repeatKeysMax = 1024

    private struct RepeatKey: Hashable {
        var event: String
        var key: String
    }

    private struct Repeat {
        var writtenAt: Int64
        /// The newest line left out and how many were.
        var suppressed: (line: LogLine, count: Int)?
    }

    private let level: Mutex<LogLevel>
    private let format: LogFormat
    private let clock: any Clock
    private let repeatInterval: Int64
    private let sink: Sink
    private let repeats = Mutex<[RepeatKey: Repeat]>([:])

    /// A logger for lines of `level` and above.
    ///
    /// - Parameters:
    ///   - level: Lines below it are dropped.
    ///   - format: How lines are written.
    ///   - clock: Stamps lines; its monotonic side measures the interval of repeats.
    ///   - repeatInterval: Milliseconds between two lines of one event and key.
    ///   - sink: Takes the bytes of each line.
    package init(
        level: LogLevel,
        format: LogFormat,
        clock: any Clock,
        repeatInterval: Int64 = 60_000,
        sink: @escaping Sink
    ) {
        self.level = Mutex(level)
        self.format = format
        self.clock = clock
        self.repeatInterval = repeatInterval
        self.sink = sink
    }

    /// Writes lines of `level` and above from now on.
    package func use(_ level: LogLevel) { self.level.withLock { $0 = level } }

    /// Whether lines of this level are written; for callers whose fields are costly to make.
    package func isEnabled(_ level: LogLevel) -> Bool {
        level >= self.level.withLock { $0 }
    }

    /// Writes a line, unless its level is too low or it repeats one written a moment ago.
    package func log(_ line: LogLine) {
        guard isEnabled(line.level) else { return }
        guard let key = line.repeatKey else {
            write(line, repeated: 0)
            return
        }
        let now = clock.monotonicMilliseconds
        let repeatKey = RepeatKey(event: line.event, key: key)
        let (isWritten, count, evicted) = repeats.withLock {
            repeats -> (Bool, Int, (line: LogLine, count: Int)?) in
            if let known = repeats[repeatKey] {
                let count = known.suppressed?.count ?? 0
                guard now - known.writtenAt >= repeatInterval else {
                    repeats[repeatKey]?.suppressed = (line, count + 1)
                    return (false, 0, nil)
                }
                repeats[repeatKey] = Repeat(writtenAt: now, suppressed: nil)
                return (true, count, nil)
            }
            var evicted: (line: LogLine, count: Int)?
            if repeats.count >= Self.repeatKeysMax,
                let oldest = repeats.min(by: { $0.value.writtenAt < $1.value.writtenAt })
            {
                evicted = oldest.value.suppressed
                repeats[oldest.key] = nil
            }
            repeats[repeatKey] = Repeat(writtenAt: now, suppressed: nil)
            return (true, 0, evicted)
        }
        if let evicted { write(evicted.line, repeated: evicted.count) }
        if isWritten { write(line, repeated: count) }
    }

    /// Writes, for each event and key whose interval is over, the newest line left out with its count.
    ///
    /// Called once in a while (each tick) and, with `all`, before the program ends.
    package func flush(all: Bool = false) {
        let now = clock.monotonicMilliseconds
        let due = repeats.withLock { repeats -> [(line: LogLine, count: Int)] in
            var due: [(line: LogLine, count: Int)] = []
            for (key, known) in repeats where all || now - known.writtenAt >= repeatInterval {
                if let suppressed = known.suppressed {
                    due.append(suppressed)
                    repeats[key] = Repeat(writtenAt: now, suppressed: nil)
                } else {
                    repeats[key] = nil
                }
            }
            return due
        }
        for (line, count) in due.sorted(by: { $0.line.event.precedesByBytes($1.line.event) }) {
            write(line, repeated: count)
        }
    }

    private func write(_ line: LogLine, repeated: Int) {
        sink(line.rendered(as: format, at: clock.now, repeated: repeated))
    }
}

extension Logger {
    /// Writes an error: data lost, or a person must act.
    package func error(
        _ event: String,
        _ text: String,
        _ fields: KeyValuePairs<String, LogValue> = [:],
        repeatKey: String? = nil
    ) {
        log(LogLine(.error, event: event, text: text, fields: fields, repeatKey: repeatKey))
    }

    /// Writes a warning: recovered, nothing lost.
    package func warning(
        _ event: String,
        _ text: String,
        _ fields: KeyValuePairs<String, LogValue> = [:],
        repeatKey: String? = nil
    ) {
        log(LogLine(.warning, event: event, text: text, fields: fields, repeatKey: repeatKey))
    }

    /// Writes a notice: worth knowing, nothing is wrong.
    package func notice(
        _ event: String,
        _ text: String,
        _ fields: KeyValuePairs<String, LogValue> = [:],
        repeatKey: String? = nil
    ) {
        log(LogLine(.notice, event: event, text: text, fields: fields, repeatKey: repeatKey))
    }

    /// Writes an ordinary step of life.
    package func info(
        _ event: String,
        _ text: String,
        _ fields: KeyValuePairs<String, LogValue> = [:],
        repeatKey: String? = nil
    ) {
        log(LogLine(.info, event: event, text: text, fields: fields, repeatKey: repeatKey))
    }

    /// Writes a detail for whoever looks for a fault.
    package func debug(
        _ event: String,
        _ text: String,
        _ fields: KeyValuePairs<String, LogValue> = [:],
        repeatKey: String? = nil
    ) {
        guard isEnabled(.debug) else { return }
        log(LogLine(.debug, event: event, text: text, fields: fields, repeatKey: repeatKey))
    }
}
