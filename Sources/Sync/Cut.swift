package import Basics

/// A position of one partition: the state after every event below `offset` and every command below `commands`, as
/// of `tick`.
///
/// Membership is a function of the cut, so two runs that reach the same cut hold the same members.
package struct Cut: Hashable, Sendable {
    /// The first event that is not contained.
    package var offset: Offset
    /// The first command that is not contained; 0 where none was ever read.
    package var commands: Offset
    /// The instant the membership was computed for.
    package var tick: EventTime

    /// A cut from its parts.
    package init(offset: Offset, commands: Offset = 0, tick: EventTime) {
        self.offset = offset
        self.commands = commands
        self.tick = tick
    }

    /// Whether every record that `other` contains is contained.
    func reaches(_ other: Cut) -> Bool {
        offset >= other.offset && commands >= other.commands
    }

    /// Before every cut a partition can be at.
    static let origin = Cut(offset: -1, commands: -1, tick: .distantPast)

    /// Takes over whatever of `other` is further.
    mutating func advance(to other: Cut) {
        offset = max(offset, other.offset)
        commands = max(commands, other.commands)
        tick = max(tick, other.tick)
    }
}

/// The cut of one partition, as an intent stores it.
struct PartitionCut: Hashable, Sendable {
    var partition: PartitionID
    var cut: Cut
}
