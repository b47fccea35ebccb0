import Basics
import Glibc
import Testing

@testable import Engine

@Suite("Memory and tables of a shard")
struct SlabTests {
    @Test("Blocks of a slab keep their words while others come, grow and go")
    func slab() {
        var generator = SeededGenerator(seed: 11)
        var slab = WordSlab()
        var live: [(handle: WordSlab.Handle, sizeClass: UInt8, mark: UInt64)] = []
        var words = 0
        for step in 0..<20_000 {
            if step % 10 == 0 { slab.prepare() }
            if live.isEmpty || generator.chance(percent: 55) {
                let count = generator.pick([
                    1, 2, 3, 4, 7, 8, 100, 1000, step % 2000 == 0 ? 300_000 : 5,
                ])
                let sizeClass = WordSlab.sizeClass(words: count)
                #expect(WordSlab.words(sizeClass) >= count)
                let handle = slab.allocate(sizeClass: sizeClass)
                #expect(handle != WordSlab.none)
                let mark = generator.next()
                fill(slab, handle, sizeClass, mark)
                live.append((handle, sizeClass, mark))
                words += WordSlab.words(sizeClass)
            } else {
                let block = live.remove(at: generator.below(live.count))
                let kept = isFilled(slab, block.handle, block.sizeClass, block.mark)
                #expect(kept, "step \(step)")
                slab.release(block.handle, sizeClass: block.sizeClass)
                words -= WordSlab.words(block.sizeClass)
            }
        }
        for block in live {
            let kept = isFilled(slab, block.handle, block.sizeClass, block.mark)
            #expect(kept)
        }
        #expect(slab.wordsUsed == words)
    }

    /// Writes the first, the last and a middle word.
    private func fill(
        _ slab: borrowing WordSlab,
        _ handle: WordSlab.Handle,
        _ sizeClass: UInt8,
        _ mark: UInt64
    ) {
        let words = slab.pointer(handle)
        let last = WordSlab.words(sizeClass) - 1
        for index in [0, last / 2, last] { words[index] = mark }
    }

    private func isFilled(
        _ slab: borrowing WordSlab,
        _ handle: WordSlab.Handle,
        _ sizeClass: UInt8,
        _ mark: UInt64
    ) -> Bool {
        let words = slab.pointer(handle)
        let last = WordSlab.words(sizeClass) - 1
        return [0, last / 2, last].allSatisfy { words[$0] == mark }
    }

    @Test("Memory touched ahead is what is handed out next, and no more than one region")
    func ahead() {
        let chunkBytes = 1 << 20
        var regions = ChunkRegions<UInt64>(chunkCount: chunkBytes / 8)
        regions.prepare()
        #expect(regions.bytesReserved == 0)
        for _ in 0..<18 { _ = regions.next() }
        #expect(regions.bytesReserved == 18 * chunkBytes)
        for _ in 0..<3 { regions.prepare() }
        #expect(regions.bytesReserved == 22 * chunkBytes)
        let first = regions.next()
        var isResident = [UInt8](repeating: 0, count: 4 * chunkBytes / 4096)
        #expect(mincore(first, 4 * chunkBytes, &isResident) == 0)
        #expect(isResident.allSatisfy { $0 & 1 == 1 })
        for number in 1..<4 {
            let next = regions.next()
            #expect(next == first + number * chunkBytes / 8)
        }
        #expect(regions.bytesReserved == 22 * chunkBytes)
        _ = regions.next()
        #expect(regions.bytesReserved == 26 * chunkBytes)
    }

    @Test("A released block is used again")
    func reuse() {
        var slab = WordSlab()
        let first = slab.allocate(sizeClass: 4)
        slab.release(first, sizeClass: 4)
        let reserved = slab.bytesReserved
        for _ in 0..<100_000 { slab.release(slab.allocate(sizeClass: 4), sizeClass: 4) }
        #expect(slab.bytesReserved == reserved)
    }

    @Test(
        "A block is at most a quarter larger than asked for, and whole chunks where it is large"
    )
    func sizeClasses() {
        let words = [1, 2, 3, 4, 5, 7, 9, 12, 13, 17, 25, 196_609, 400_000].map {
            WordSlab.words(WordSlab.sizeClass(words: $0))
        }
        #expect(words == [2, 2, 3, 4, 5, 7, 10, 12, 14, 20, 28, 262_144, 524_288])
    }

    @Test("The table of users finds each id under its slot, through every growth, and by bytes")
    func users() {
        var table = UserTable(rows: UserRows(rest: WordBuffer(count: 1), cohorts: 1))
        func id(_ number: Int) -> [UInt8] {
            Array("\(number)".utf8) + [UInt8](repeating: 0x78, count: number % 1000)
        }
        for number in 0..<6000 {
            id(number).withByteView { view in
                let known = table.find(view, hash: Hashing.hash64(view))
                #expect(known == nil)
                let slot = table.insert(view, hash: Hashing.hash64(view))
                #expect(slot == UserSlot(number))
            }
        }
        #expect(table.count == 6000)
        for number in 0..<6000 {
            id(number).withByteView { view in
                let slot = table.find(view, hash: Hashing.hash64(view))
                let isThere = table.id(UserSlot(number)).equals(view)
                #expect(slot == UserSlot(number) && isThere)
            }
        }
        let composed = "\u{e9}".withByteView { table.insert($0, hash: Hashing.hash64($0)) }
        let decomposed = "e\u{301}".withByteView { table.find($0, hash: Hashing.hash64($0)) }
        let text = table.id(composed).string
        #expect(decomposed == nil && text == "\u{e9}")
    }

    @Test("A table keeps its records in their places while it grows, and is zero behind them")
    func records() {
        var table = RecordTable<UInt64>()
        // Past what is copied: pages of larger ones move.
        for number in 0..<UInt64(1_500_000) { table.append(number &* 0x9e37_79b9) }
        for number in 0..<1_500_000 {
            guard table[number] == UInt64(number) &* 0x9e37_79b9 else {
                Issue.record("record \(number) is \(table[number])")
                return
            }
        }
        #expect(table.bytesReserved == 8 << 21)
        #expect((table.start + 1_500_000).pointee == 0)
    }

    private struct NumberCell: HashCell {
        static let free = NumberCell(spread: 0, number: 0)
        var spread: UInt32
        var number: UInt32
        var isFree: Bool { number == 0 }
    }

    @Test("Cells that grow are found all the time, and no insertion moves many", arguments: [1, 3])
    func cells(numbersOfOneSpread: UInt32) {
        var cells = HashCells<NumberCell>(count: 16)
        func cell(_ number: UInt32) -> NumberCell {
            // Runs at the table's end go on at its beginning.
            let spread = ~((number / numbersOfOneSpread) &* 0x9e37_79b9 >> 4)
            return NumberCell(spread: spread, number: number)
        }
        var steps = 0
        for number in 1...UInt32(20_000) {
            let wasGrowing = cells.isGrowing
            cells.makeRoom(used: Int(number) - 1)
            if wasGrowing || cells.isGrowing { steps += 1 }
            let new = cell(number)
            let place = cells.cell(new.spread) { $0.number == number }
            #expect(place.pointee.isFree)
            place.pointee = new
            guard number % 977 == 0 || number < 300 else { continue }
            for known in 1...number {
                let found = cells.cell(cell(known).spread) { $0.number == known }.pointee
                if found.number != known { Issue.record("\(known) of \(number) is lost") }
            }
            var count = 0
            cells.forEach { _ in count += 1 }
            #expect(count == Int(number))
        }
        // The last table has 26,000 cells, all of which were moved a few at a time.
        #expect(steps > 1500, "\(steps) insertions moved cells")
    }

    @Test("Ids with equal hashes are told apart")
    func collisions() {
        var table = UserTable(rows: UserRows(rest: WordBuffer(count: 1), cohorts: 1))
        for number in 0..<100 { "\(number)".withByteView { _ = table.insert($0, hash: 99) } }
        for number in 0..<100 {
            let slot = "\(number)".withByteView { table.find($0, hash: 99) }
            #expect(slot == UserSlot(number))
        }
        let stranger = "100".withByteView { table.find($0, hash: 99) }
        #expect(stranger == nil)
    }

    @Test(
        "The wheel gives what is due and nothing else",
        arguments: [1, 100, 100_000, 20_000_000_000]
    )
    func deadlines(stride: Int) {
        var generator = SeededGenerator(seed: UInt64(stride))
        var wheel = DeadlineWheel()
        var model: [Int64] = []
        var tick: Int64 = -500
        for _ in 0..<3000 {
            let instant = tick + Int64(generator.number(in: -5 * stride...300 * stride))
            wheel.push(EventTime(milliseconds: instant), UserSlot(truncatingIfNeeded: instant))
            model.append(instant)
            guard generator.chance(percent: 10) else { continue }
            tick += Int64(generator.number(in: 0...100 * stride))
            var due: [DeadlineWheel.Entry] = []
            wheel.advance(to: EventTime(milliseconds: tick))
            var last = 0
            while wheel.takeDue(into: &due) {
                #expect(
                    due.count - last <= DeadlineWheel.blockEntries,
                    "a step takes one block out"
                )
                last = due.count
                // Users who are looked at meanwhile are due again later.
                let instant = tick + 1 + Int64(generator.below(50 * stride))
                wheel.push(EventTime(milliseconds: instant), UserSlot(truncatingIfNeeded: instant))
                model.append(instant)
            }
            for entry in due {
                #expect(entry.slot == UserSlot(truncatingIfNeeded: entry.instant.milliseconds))
            }
            let popped = due.map(\.instant.milliseconds).sorted()
            #expect(popped == model.filter { $0 <= tick }.sorted())
            model.removeAll { $0 <= tick }
            #expect(wheel.count == model.count)
            var left: [Int64] = []
            wheel.forEach { left.append($0.instant.milliseconds) }
            #expect(left.sorted() == model.sorted())
        }
    }
}
