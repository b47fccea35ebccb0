import Basics

/// What lies in a cell of ``HashCells``; memory of zeros is free cells.
protocol HashCell: BitwiseCopyable {
    /// Whether nothing is in it.
    var isFree: Bool { get }
    /// Evenly spread bits of what is in it: where it belongs.
    var spread: UInt32 { get }
    /// One that nothing is in.
    static var free: Self { get }
}

/// An open-addressing table, at most three quarters full, that grows a few cells at a time: no insertion waits for a
/// hundred megabytes to be copied.
///
/// Where looking begins ascends with ``HashCell/spread``, so that growing goes through both tables in order.
///
/// ```
/// old    ·······│AB·CDE··F·GH·      what was moved is free, and the boundary lies behind a free cell: no run is cut
/// table  ··M··NO··P·····Q··········  what belongs before the boundary is here, and so is all that is new
/// ```
struct HashCells<Cell: HashCell>: ~Copyable {
    private struct Table: BitwiseCopyable {
        let start: UnsafeMutablePointer<Cell>
        let count: Int

        init(count: Int) {
            guard let start = TableMemory.allocate(Cell.self, count: count).baseAddress else {
                preconditionFailure("a table of \(count) cells")
            }
            self.start = start
            self.count = count
        }

        func deallocate() {
            TableMemory.deallocate(UnsafeMutableBufferPointer(start: start, count: count))
        }

        @inline(__always)
        func home(_ spread: UInt32) -> Int { Int((UInt64(spread) &* UInt64(count)) >> 32) }

        @inline(__always)
        func next(_ place: Int) -> Int { place + 1 == count ? 0 : place + 1 }

        func distance(from place: Int, to other: Int) -> Int {
            other >= place ? other - place : other - place + count
        }

        @inline(__always)
        func cell(_ spread: UInt32, where isIt: (Cell) -> Bool) -> UnsafeMutablePointer<Cell> {
            var place = home(spread)
            while !start[place].isFree, !isIt(start[place]) { place = next(place) }
            return start + place
        }

        func put(_ cell: Cell) { self.cell(cell.spread) { _ in false }.pointee = cell }
    }

    /// How many cells of the old table an insertion moves: all are before a tenth more has come in.
    private static var cellsMoved: Int { 16 }

    private var table: Table
    /// What is left of the table before; nil unless it grows.
    private var old: Table?
    /// The cell of the old table that was moved first, and how many were since.
    private var oldFirst = 0
    private var moved = 0

    /// - Parameter count: How many cells there are at first.
    init(count: Int) {
        table = Table(count: count)
    }

    deinit {
        table.deallocate()
        old?.deallocate()
    }

    /// Bytes of memory held.
    var bytesReserved: Int { (table.count + (old?.count ?? 0)) * MemoryLayout<Cell>.stride }

    /// Whether cells are being moved into a larger table.
    @inline(__always)
    var isGrowing: Bool { old != nil }

    /// Asks for the memory where a look-up begins.
    @inline(__always)
    func prefetch(_ spread: UInt32) {
        Prefetch.line(table.start + table.home(spread))
        if let old { Prefetch.line(old.start + old.home(spread)) }
    }

    /// The cell that holds what is looked for, or the free one where it belongs; valid until ``makeRoom(used:)`` or
    /// another is filled.
    @inline(__always)
    func cell(_ spread: UInt32, where isIt: (Cell) -> Bool) -> UnsafeMutablePointer<Cell> {
        if let old, old.distance(from: oldFirst, to: old.home(spread)) >= moved {
            let cell = old.cell(spread, where: isIt)
            if !cell.pointee.isFree { return cell }
        }
        return table.cell(spread, where: isIt)
    }

    /// Whether ``makeRoom(used:)`` has something to do before another cell is filled.
    @inline(__always)
    func needsRoom(used: Int) -> Bool { isGrowing || (used + 1) * 4 > table.count * 3 }

    /// Begins to grow where that is due, or goes on with it.
    mutating func makeRoom(used: Int) {
        if isGrowing {
            moveSome()
        } else if (used + 1) * 4 > table.count * 3 {
            beginGrowing()
        }
    }

    /// Calls `body` with every cell that is not free, in no order.
    func forEach(_ body: (Cell) -> Void) {
        for place in 0..<table.count where !table.start[place].isFree { body(table.start[place]) }
        guard let old else { return }
        for place in 0..<old.count where !old.start[place].isFree { body(old.start[place]) }
    }

    /// Takes memory for so many in all, where there is less: for a mass that comes at once.
    mutating func reserve(_ wanted: Int) {
        let needed = wanted + wanted / 2
        if needed > table.count { rebuild(count: needed) }
    }

    private mutating func rebuild(count: Int) {
        let other = Table(count: count)
        forEach { other.put($0) }
        table.deallocate()
        old?.deallocate()
        old = nil
        table = other
    }

    @inline(never)
    private mutating func beginGrowing() {
        // Of a table that is at most three quarters full.
        var free = 0
        while !table.start[free].isFree { free += 1 }
        oldFirst = table.next(free)
        moved = 0
        old = table
        table = Table(count: table.count + table.count / 2)
        moveSome()
    }

    @inline(never)
    private mutating func moveSome() {
        guard let old else { return }
        var place = (oldFirst + moved) % old.count
        var left = Self.cellsMoved
        var isBehindFree = true
        while moved < old.count, left > 0 || !isBehindFree {
            let cell = old.start[place]
            isBehindFree = cell.isFree
            if !cell.isFree {
                table.put(cell)
                old.start[place] = .free
            }
            place = old.next(place)
            moved += 1
            left -= 1
        }
        if moved == old.count {
            old.deallocate()
            self.old = nil
        }
    }
}
