import Basics

/// What a run of `ingest` in a process of its own said, as far as other reports need it.
struct IngestFigures: Equatable {
    var events = 0
    var users = 0
    /// How many cohorts there were.
    var cohorts = 0
    /// Enters and exits.
    var flips = 0
    var eventsPerWallSecond = 0.0
    var eventsPerCPUSecond = 0.0
    /// Of the second half of the file.
    var allocations = Allocations()
    /// The process' own memory at the end.
    var memoryBytes = 0
    /// The most memory it had, with pages of files.
    var memoryPeakBytes = 0

    /// Nothing yet.
    init() {}

    /// Reads the report of ``IngestReport/json``; nil where a figure is missing.
    init?(json: [UInt8]) {
        var numbers: [String: Double] = [:]
        var cohorts = 0
        json.withByteView { bytes in
            var members = JSONMembers(bytes)
            while let (name, value) = members.next() {
                numbers[name.string] = Double(value.string)
                guard name.equals("cohorts") else { continue }
                var counts = JSONMembers(value)
                while counts.next() != nil { cohorts += 1 }
            }
        }
        guard let events = numbers["events"], let users = numbers["users"],
            let enters = numbers["enters"], let exits = numbers["exits"],
            let wallRate = numbers["events_per_wall_second"],
            let cpuRate = numbers["events_per_cpu_second"],
            let halfEvents = numbers["second_half_events"],
            let halfCount = numbers["second_half_allocations"],
            let halfOfTicks = numbers["second_half_allocations_of_ticks"]
        else { return nil }
        self.events = Int(events)
        self.users = Int(users)
        self.cohorts = cohorts
        flips = Int(enters) + Int(exits)
        eventsPerWallSecond = wallRate
        eventsPerCPUSecond = cpuRate
        allocations = Allocations(
            events: Int(halfEvents),
            count: Int(halfCount),
            ofTicks: Int(halfOfTicks)
        )
        memoryBytes = Int(numbers["memory_bytes"] ?? 0)
        memoryPeakBytes = Int(numbers["memory_peak_bytes"] ?? 0)
    }
}
