import Basics

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

    private static let version: UInt8 = 2
    /// Where the commands topic was never read.
    private static let noCommands: Offset = -1

    var encoded: [UInt8] {
        var writer = ByteWriter(capacity: 48)
        writer.write(Self.version)
        writer.write(position.events)
        writer.write(position.commands ?? Self.noCommands)
        writer.write((tick ?? .distantPast).milliseconds)
        writer.write(floor.milliseconds)
        writer.write(firstOffset)
        return writer.bytes
    }

    init(position: LogPosition, tick: EventTime?, floor: EventTime, firstOffset: Offset) {
        self.position = position
        self.tick = tick
        self.floor = floor
        self.firstOffset = firstOffset
    }

    /// Reads a cut; nil for bytes that this version did not write.
    init?(_ bytes: [UInt8]) {
        let parsed: PartitionCut? = bytes.withByteView { view in
            do {
                var reader = ByteReader(view)
                let version: UInt8 = try reader.read()
                guard version == Self.version else { return nil }
                let events: Offset = try reader.read()
                let commands: Offset = try reader.read()
                let tick = EventTime(milliseconds: try reader.read())
                let floor = EventTime(milliseconds: try reader.read())
                let firstOffset: Offset = try reader.read()
                guard reader.atEnd else { return nil }
                return PartitionCut(
                    position: LogPosition(
                        events: events,
                        commands: commands == Self.noCommands ? nil : commands
                    ),
                    tick: tick == .distantPast ? nil : tick,
                    floor: floor,
                    firstOffset: firstOffset
                )
            } catch {
                return nil
            }
        }
        guard let parsed else { return nil }
        self = parsed
    }
}
