package import Basics

/// A position of one partition: the state after every record below `offset`, as of `tick`.
///
/// Membership is a function of the cut, so two runs that reach the same cut hold the same members.
package struct Cut: Hashable, Sendable {
    /// The first record that is not contained.
    package var offset: Offset
    /// The instant the membership was computed for.
    package var tick: EventTime

    /// A cut from its parts.
    package init(offset: Offset, tick: EventTime) {
        self.offset = offset
        self.tick = tick
    }

    /// Before every cut a partition can be at.
    static let origin = Cut(offset: -1, tick: .distantPast)

    /// Takes over whatever of `other` is further.
    mutating func advance(to other: Cut) {
        offset = max(offset, other.offset)
        tick = max(tick, other.tick)
    }
}

/// The cut of one partition, as an intent stores it.
struct PartitionCut: Hashable, Sendable {
    var partition: PartitionID
    var cut: Cut
}
