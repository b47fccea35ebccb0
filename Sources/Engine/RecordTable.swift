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
        memory.deallocate()
    }

    /// Bytes of memory held.
    var bytesReserved: Int { memory.count * MemoryLayout<Record>.stride }

    /// Adds a record at the end.
    ///
    /// Complexity: O(1) on average.
    mutating func append(_ record: Record) {
        if count == memory.count { grow() }
        memory.initializeElement(at: count, to: record)
        count += 1
    }

    /// A record; `index` must be in 0..<``count``.
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

    private func check(_ index: Int) {
        precondition(index >= 0 && index < count, "record \(index) of \(count)")
    }

    private mutating func grow() {
        let larger = TableMemory.allocate(Record.self, count: memory.count * 2)
        _ = larger.moveInitialize(fromContentsOf: memory)
        memory.deallocate()
        memory = larger
    }
}
