import Basics

/// What the planner knows of one partition.
struct PartitionState: Sendable {
    enum Availability: Sendable {
        /// Its membership has not come yet; it will.
        case waiting
        /// Its membership is known.
        case known
        /// Halted, replaying or taken away: nothing of it is planned, no exit leaves for its users.
        case unavailable
    }

    let id: PartitionID
    var availability = Availability.waiting
    /// Where its engine is.
    var cut = Cut.origin
    /// The furthest cut any intent was planned from.
    var newestPlanned = Cut.origin
    /// The tick it must reach before anything is planned from it.
    var gateTick = EventTime.distantPast

    /// Whether operations may be planned from its cut.
    ///
    /// The gate: an engine that restarted from an older snapshot must first be where it was when the
    /// newest intent was planned, or users would flap at the destination.
    var isOpen: Bool {
        availability == .known && cut.reaches(newestPlanned) && cut.tick >= gateTick
    }
}

/// The partitions by dense number, in the order in which they were first heard of.
struct PartitionTable: Sendable {
    private var states: [PartitionState] = []
    private var numbers: [PartitionID: UInt16] = [:]
    /// The newest tick of any intent.
    private(set) var newestTick = EventTime.distantPast

    var count: Int { states.count }
    var indices: Range<UInt16> { 0..<UInt16(states.count) }

    subscript(index: UInt16) -> PartitionState {
        get { states[Int(index)] }
        set { states[Int(index)] = newValue }
    }

    func find(_ id: PartitionID) -> UInt16? { numbers[id] }

    mutating func insert(_ id: PartitionID) -> UInt16 {
        if let known = numbers[id] { return known }
        precondition(states.count < Int(UInt16.max), "\(states.count) partitions")
        let index = UInt16(states.count)
        states.append(PartitionState(id: id))
        numbers[id] = index
        return index
    }

    /// Remembers that an intent was planned from these cuts.
    mutating func notePlanned(_ cuts: [PartitionCut]) {
        for item in cuts {
            states[Int(insert(item.partition))].newestPlanned.advance(to: item.cut)
            newestTick = max(newestTick, item.cut.tick)
        }
    }

    /// The oldest tick at which some partition may still plan.
    ///
    /// A partition that comes back later must first pass ``newestTick``, so it need not be counted.
    var oldestTick: EventTime {
        var oldest = EventTime.distantFuture
        for state in states where state.availability == .known {
            oldest = min(oldest, state.cut.tick)
        }
        return oldest
    }

    /// The newest planned cut of every partition that has one, by id.
    var newestCuts: [PartitionCut] {
        states.filter { $0.newestPlanned != .origin }.sorted { $0.id < $1.id }
            .map { PartitionCut(partition: $0.id, cut: $0.newestPlanned) }
    }
}
