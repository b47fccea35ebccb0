import CAllocationCount

/// Heap allocations of this thread, from the middle of a file on: what came before is warming up.
struct AllocationMarks {
    /// How many there were so far, on this thread.
    static var count: Int { Int(cohortd_allocation_count()) }

    private let middle: Int
    private var position = 0
    private var tickStart = 0
    private var ticks = 0
    private var start: (events: Int, allocations: Int, ticks: Int)?

    /// Marks for a file of so many bytes.
    init(bytes: Int) {
        middle = bytes / 2
    }

    /// Notes that a line of so many bytes comes, behind so many events.
    mutating func line(bytes: Int, events: Int) {
        if start == nil, position >= middle { start = (events, Self.count, ticks) }
        position += bytes + 1
    }

    mutating func tickBegins() { tickStart = Self.count }

    mutating func tickEnds() { ticks += Self.count - tickStart }

    /// What there was since the middle, behind so many events.
    func found(events: Int) -> Allocations {
        guard let start else { return Allocations() }
        return Allocations(
            events: events - start.events,
            count: Self.count - start.allocations,
            ofTicks: ticks - start.ticks
        )
    }
}

/// Heap allocations while events were read.
struct Allocations: Equatable {
    var events = 0
    /// All of them.
    var count = 0
    /// Those of them that ticks made.
    var ofTicks = 0

    /// All of them by events; 0 without events.
    var perEvent: Double { events > 0 ? Double(count) / Double(events) : 0 }

    /// Those that ticks made by events.
    var ofTicksPerEvent: Double { events > 0 ? Double(ofTicks) / Double(events) : 0 }

    /// For people.
    var text: String {
        "\(ReportText.fixed(perEvent, places: 6)) an event, "
            + "\(ReportText.fixed(ofTicksPerEvent, places: 6)) of it in ticks (\(events) events, "
            + "the second half of the file)"
    }
}
