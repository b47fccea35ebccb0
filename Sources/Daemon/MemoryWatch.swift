import CMalloc

/// Measures the memory of the process for the control thread, when it is time to.
struct MemoryWatch {
    /// Milliseconds between looks: an engine thread that meets only new users takes some hundred megabytes a second.
    private static let interval: Int64 = 100
    /// Milliseconds between two tries to give back what is free.
    private static let trimInterval: Int64 = 10_000

    private let measures: ProcessMeasures
    private(set) var memory = MemoryGuard()
    private var lookedAt = Int64.min / 2
    private var trimmedAt = Int64.min / 2

    init(_ measures: ProcessMeasures) {
        self.measures = measures
    }

    /// Looks when it is time to.
    ///
    /// - Returns: The level before; nil where there was no look.
    mutating func look(now: Int64) -> MemoryGuard.Level? {
        guard now - lookedAt >= Self.interval else { return nil }
        lookedAt = now
        let before = memory.level
        memory.look(bytes: measures.residentBytes, max: measures.limitBytes)
        if memory.level > .normal, now - trimmedAt >= Self.trimInterval {
            trimmedAt = now
            // The library keeps what was freed, and to the kernel that is in use.
            malloc_trim(0)
            memory.look(bytes: measures.residentBytes, max: measures.limitBytes)
        }
        return before
    }
}
