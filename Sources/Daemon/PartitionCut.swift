import Basics
import Kafka

/// What a commit of a partition's log is a state of.
///
/// Byte table: docs/formats.md, "Engine state".
struct PartitionCut: Equatable {
    /// Everything before it is contained.
    var position: LogPosition
    /// The last tick; nil before the first.
    var tick: EventTime?
    /// No tick before this instant will come.
    var floor: EventTime
    /// The offset of the first event this state was ever made from.
    var firstOffset: Offset
    /// What the positions are counted from, for whoever needs them never to go back.
    var base = LogBase()
    /// The last event that was applied; nil where an older version wrote the cut, or a gap is before it.
    var fingerprint: RecordFingerprint?

    private static let version: UInt8 = 3
    /// Of version 2: neither base nor fingerprint.
    private static let formerVersion: UInt8 = 2
    /// Where there is no fingerprint.
    private static let noRecord: Offset = -1
    /// Where the commands topic was never read.
    private static let noCommands: Offset = -1

    var encoded: [UInt8] {
        var writer = ByteWriter(capacity: 81)
        writer.write(Self.version)
        writer.write(position.events)
        writer.write(position.commands ?? Self.noCommands)
        writer.write((tick ?? .distantPast).milliseconds)
        writer.write(floor.milliseconds)
        writer.write(firstOffset)
        writer.write(base.events)
        writer.write(base.commands)
        writer.write(fingerprint?.offset ?? Self.noRecord)
        writer.write(fingerprint?.timestamp ?? 0)
        writer.write(fingerprint?.hash ?? 0)
        return writer.bytes
    }

    init(
        position: LogPosition,
        tick: EventTime?,
        floor: EventTime,
        firstOffset: Offset,
        base: LogBase = LogBase(),
        fingerprint: RecordFingerprint? = nil
    ) {
        self.position = position
        self.tick = tick
        self.floor = floor
        self.firstOffset = firstOffset
        self.base = base
        self.fingerprint = fingerprint
    }

    /// Reads a cut; nil for bytes that this version did not write.
    init?(_ bytes: [UInt8]) {
        let parsed: PartitionCut? = bytes.withByteView { view in
            do {
                var reader = ByteReader(view)
                let version: UInt8 = try reader.read()
                guard version == Self.version || version == Self.formerVersion else { return nil }
                let events: Offset = try reader.read()
                let commands: Offset = try reader.read()
                let tick = EventTime(milliseconds: try reader.read())
                let floor = EventTime(milliseconds: try reader.read())
                let firstOffset: Offset = try reader.read()
                var cut = PartitionCut(
                    position: LogPosition(
                        events: events,
                        commands: commands == Self.noCommands ? nil : commands
                    ),
                    tick: tick == .distantPast ? nil : tick,
                    floor: floor,
                    firstOffset: firstOffset
                )
                if version == Self.version {
                    cut.base = LogBase(events: try reader.read(), commands: try reader.read())
                    let fingerprint = RecordFingerprint(
                        offset: try reader.read(),
                        timestamp: try reader.read(),
                        hash: try reader.read()
                    )
                    if fingerprint.offset != Self.noRecord { cut.fingerprint = fingerprint }
                }
                return reader.atEnd ? cut : nil
            } catch {
                return nil
            }
        }
        guard let parsed else { return nil }
        self = parsed
    }
}
