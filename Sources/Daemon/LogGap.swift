import Basics
import Kafka

/// Records of a partition that its state was never made from, since Kafka lost them or somebody left them out.
///
/// Byte table: docs/formats.md, "Engine state".
struct LogGap: Equatable, Sendable {
    /// Why they are missing.
    enum Cause: UInt8, Sendable {  // stored: do not renumber
        /// Kafka deleted them before they were read.
        case gone = 0
        /// A batch that cannot be read was left out.
        case skipped = 1
        /// The log is another one, or was cut: what it had before is unknown.
        case anew = 2
    }

    /// Whether it is in the commands topic.
    var isOfCommands: Bool
    /// The first offset that is missing.
    var from: Offset
    /// The first that is there again; of another log it may be lower.
    var to: Offset
    /// When it was found: nothing of it happened later.
    var at: EventTime
    var cause: Cause
}

/// The gaps of a partition, oldest first, and what they mean for cohorts.
struct LogGaps: Equatable, Sendable {
    /// The type of the record that holds them, beside those of the engine.
    static let recordType: UInt8 = 64
    /// The most that are kept: of more the newest, for the newest one decides what cohorts do.
    static let countMax = 256

    private static let version: UInt8 = 1

    private(set) var all: [LogGap] = []

    /// Whether there is none.
    var isEmpty: Bool { all.isEmpty }

    /// Notes one, unless it is known: a rebuild meets them again.
    mutating func append(_ gap: LogGap) {
        if all.contains(gap) { return }
        all.append(gap)
        if all.count > Self.countMax { all.removeFirst(all.count - Self.countMax) }
    }

    /// The part of the log, left out before, in which an offset lies.
    func skipped(_ offset: Offset, ofCommands: Bool) -> LogGap? {
        all.last {
            $0.cause == .skipped && $0.isOfCommands == ofCommands && $0.from <= offset
                && offset < $0.to
        }
    }

    // MARK: As bytes

    var encoded: [UInt8] {
        var writer = ByteWriter(capacity: 5 + all.count * 26)
        writer.write(Self.version)
        writer.write(UInt32(all.count))
        for gap in all {
            writer.write(UInt8(gap.isOfCommands ? 1 : 0))
            writer.write(gap.cause.rawValue)
            writer.write(gap.from)
            writer.write(gap.to)
            writer.write(gap.at.milliseconds)
        }
        return writer.bytes
    }

    /// No gaps.
    init() {}

    /// Reads them; nil for bytes that this version did not write.
    init?(_ bytes: ByteView) {
        do {
            var reader = ByteReader(bytes)
            let version: UInt8 = try reader.read()
            guard version == Self.version else { return nil }
            let count: UInt32 = try reader.read()
            guard count <= Self.countMax else { return nil }
            for _ in 0..<count {
                let isOfCommands: UInt8 = try reader.read()
                let cause: UInt8 = try reader.read()
                let from: Offset = try reader.read()
                let to: Offset = try reader.read()
                let at = EventTime(milliseconds: try reader.read())
                guard isOfCommands <= 1, let cause = LogGap.Cause(rawValue: cause) else {
                    return nil
                }
                all.append(
                    LogGap(
                        isOfCommands: isOfCommands == 1,
                        from: from,
                        to: to,
                        at: at,
                        cause: cause
                    )
                )
            }
            guard reader.atEnd else { return nil }
        } catch {
            return nil
        }
    }
}
