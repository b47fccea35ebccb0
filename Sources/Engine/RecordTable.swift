import Basics

/// Records by a dense index, in large pages once there are many; like an array that never shares its memory.
struct RecordTable<Record: BitwiseCopyable>: ~Copyable {
    private var memory: UnsafeMutableBufferPointer<Record>
    /// How many records there are.
    private(set) var count = 0

    init() {
        memory = TableMemory.allocate(Record.self, count: 16)
    }

    deinit {
        TableMemory.deallocate(memory)
    }

    /// Bytes of memory held.
    var bytesReserved: Int { memory.count * MemoryLayout<Record>.stride }

    /// Takes memory for so many records in all, where it has less.
    mutating func reserve(_ wanted: Int) {
        if wanted > memory.count { move(to: wanted) }
    }

    /// Adds a record at the end.
    ///
    /// Complexity: O(1) on average.
    @inline(__always)
    mutating func append(_ record: Record) {
        if count == memory.count { grow() }
        memory.initializeElement(at: count, to: record)
        count += 1
    }

    /// Adds a record so many times.
    mutating func append(_ record: Record, count more: Int) {
        while memory.count - count < more { grow() }
        memory[count..<(count + more)].initialize(repeating: record)
        count += more
    }

    /// A record; `index` must be in 0..<``count``.
    @inline(__always)
    subscript(index: Int) -> Record {
        get {
            check(index)
            return memory[index]
        }
        _modify {
            check(index)
            yield &memory[index]
        }
    }

    /// The records as they lie, lent until one is added.
    var start: UnsafeMutablePointer<Record> {
        guard let start = memory.baseAddress else { preconditionFailure("a table without memory") }
        return start
    }

    /// Forgets every record, and keeps the memory.
    mutating func removeAll() { count = 0 }

    /// Forgets every record but the first `kept`.
    mutating func keepFirst(_ kept: Int) {
        precondition(kept >= 0 && kept <= count, "\(kept) of \(count) records to keep")
        count = kept
    }

    @inline(__always)
    private func check(_ index: Int) {
        precondition(index >= 0 && index < count, "record \(index) of \(count)")
    }

    @inline(never)
    private mutating func grow() { move(to: memory.count * 2) }

    private mutating func move(to capacity: Int) {
        memory = TableMemory.grow(memory, to: capacity)
    }
}
