import Basics
import Events
import Testing

@testable import Engine

@Suite("Times and properties of users")
struct ListTests {
    @Test("The number of times up to any coming tick is that of a plain list", arguments: 1...10)
    func traces(_ seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed))
        var lists = TraceLists()
        let stride: Int64 = 30_000_000
        let horizons: [Int64] = [0, 50, seed % 3 == 0 ? 300 * stride : 300]
        var rows = [SlabRow](repeating: SlabRow(), count: 3)
        var model = [[[Int64]]](repeating: [[], [], []], count: 3)
        var floor: Int64 = -1000
        for step in 0..<600 {
            let user = generator.below(3)
            let trace = generator.below(3)
            // Some seeds have times that four bytes do not hold together.
            let time =
                floor + Int64(generator.number(in: -400...200)) * (seed % 3 == 0 ? stride : 1)
            let (_, hitLimit) = lists.add(
                time,
                trace: trace,
                to: &rows[user],
                bound: floor - horizons[trace],
                limit: .max
            )
            if hitLimit { Issue.record("step \(step): the limit was hit") }
            model[user][trace].append(time)
            if generator.chance(percent: 10) {
                floor += Int64(generator.number(in: 0...100)) * (seed % 3 == 0 ? stride : 1)
                for user in rows.indices where generator.chance(percent: 70) {
                    for trace in 0..<3 {
                        lists.prune(&rows[user], trace: trace, bound: floor - horizons[trace])
                    }
                }
            }
            if generator.chance(percent: 1) {
                lists.clear(&rows[user])
                model[user] = [[], [], []]
            }
            for entry in lists.entries(rows[user]) {
                let listed = lists.times(entry).array
                let all = model[user][entry.trace]
                // What is not later than this is in no window of a coming tick, and may be in the list or not.
                let bound = floor - horizons[entry.trace]
                let isRight =
                    listed == listed.sorted() && Int(entry.base) + listed.count == all.count
                    && listed.filter { $0 > bound } == all.filter { $0 > bound }.sorted()
                if !isRight {
                    Issue.record(
                        "step \(step): \(listed) and \(entry.base) before them for \(all)"
                    )
                    return
                }
            }
        }
        for user in rows.indices { lists.clear(&rows[user]) }
    }

    @Test(
        "Rows of times come back from a snapshot as they were, some under other numbers",
        arguments: 1...20
    )
    func storedTraces(_ seed: Int) throws {
        var generator = SeededGenerator(seed: UInt64(seed))
        var lists = TraceLists()
        var row = SlabRow()
        // Of some seeds there are many times of a trace, of some they lie far apart.
        let count = seed % 2 == 0 ? 20 : 400
        let stride: Int64 = seed % 3 == 0 ? 3_000_000_000 : 1000
        for _ in 0..<count {
            _ = lists.add(
                Int64(generator.number(in: 0...100)) * stride,
                trace: generator.below(4),
                to: &row,
                bound: 10 * stride,
                limit: .max
            )
        }
        func content(_ lists: borrowing TraceLists, _ row: SlabRow) -> [Int: [Int64]] {
            var content: [Int: [Int64]] = [:]
            for entry in lists.entries(row) {
                content[entry.trace] = [Int64(entry.base)] + lists.times(entry).array
            }
            return content
        }
        var writer = ByteWriter()
        lists.encode(row, to: &writer)
        let before = content(lists, row)
        for numbers in [[0, 1, 2, 3], [3, nil, 0, 7], [nil, nil, nil, nil]] as [[Int?]] {
            var restored = TraceLists()
            var again = SlabRow()
            try writer.bytes.withByteView { bytes throws(ByteReader.Truncated) in
                var reader = ByteReader(bytes)
                try restored.restore(&reader, numbers: numbers, to: &again)
                #expect(reader.atEnd)
            }
            var wanted: [Int: [Int64]] = [:]
            for (trace, times) in before {
                if let number = numbers[trace] { wanted[number] = times }
            }
            #expect(content(restored, again) == wanted)
            // And they go on as before.
            for trace in 0..<4 {
                let time = 200 * stride
                let (listed, _) = restored.add(
                    time,
                    trace: trace,
                    to: &again,
                    bound: 10 * stride,
                    limit: .max
                )
                #expect(listed == wanted[trace, default: [0]].count)
                wanted[trace, default: [0]].append(time)
            }
            #expect(content(restored, again) == wanted)
            restored.clear(&again)
            #expect(restored.slab.wordsUsed == 0)
        }
        lists.clear(&row)
    }

    /// Whether a row stored like this is taken back.
    private func isTaken(_ row: [UInt8], isWide: Bool = false) -> Bool {
        var writer = ByteWriter()
        writer.write(UInt32(row.count) | (isWide ? 1 << 31 : 0))
        writer.write(raw: row)
        return writer.bytes.withByteView { bytes in
            var reader = ByteReader(bytes)
            var lists = TraceLists()
            var row = SlabRow()
            do {
                try lists.restore(&reader, numbers: [0], to: &row)
                lists.clear(&row)
                return true
            } catch {
                return false
            }
        }
    }

    @Test("A stored row of more times than a row holds, or of times that nobody has, is refused")
    func impossibleRows() {
        func row(epoch: Int64, _ count: Int) -> [UInt8] {
            var writer = ByteWriter()
            writer.write(epoch)
            writer.write(TraceLists.Header(trace: 0, count: count).word)
            for time in 0..<count { writer.write(UInt32(time)) }
            return writer.bytes
        }
        func farRow(epoch: Int64) -> [UInt8] {
            var writer = ByteWriter()
            writer.write(Int64(0))
            writer.write(TraceLists.Header(trace: 0, count: TraceLists.Header.farCount).word)
            writer.write(UInt32(1))
            writer.write(epoch)
            writer.write(UInt32(0))
            return writer.bytes
        }
        #expect(isTaken(row(epoch: 0, TraceLists.inlineMax)))
        #expect(!isTaken(row(epoch: 0, TraceLists.inlineMax + 1)))
        #expect(!isTaken(row(epoch: .max, 1)))
        #expect(!isTaken(row(epoch: .min, 1)))
        #expect(isTaken(farRow(epoch: 0)))
        #expect(!isTaken(farRow(epoch: .max)))
        #expect(!isTaken(Array(farRow(epoch: 0).prefix(24))))
    }

    @Test("A time far behind those that are past makes no row of eight bytes a time")
    func staysNarrow() {
        let day: Int64 = 86_400_000
        var lists = TraceLists()
        var row = SlabRow()
        _ = lists.add(0, trace: 0, to: &row, bound: -1, limit: .max)
        _ = lists.add(60 * day, trace: 0, to: &row, bound: 53 * day, limit: .max)
        #expect(!row.isWide)
        _ = lists.add(120 * day, trace: 0, to: &row, bound: 53 * day, limit: .max)
        #expect(row.isWide)
        let times = lists.find(0, in: row).map { lists.times($0).array }
        #expect(times == [60 * day, 120 * day])
        lists.clear(&row)
    }

    @Test("Memory of cleared and pruned lists is given back")
    func tracesGiveBack() {
        var lists = TraceLists()
        var row = SlabRow()
        let unused = lists.slab.wordsUsed
        for time in 0..<1000 {
            _ = lists.add(Int64(time), trace: time % 7, to: &row, bound: -1, limit: .max)
        }
        lists.clear(&row)
        #expect(lists.slab.wordsUsed == unused)
    }

    @Test("Beyond the limit the oldest times go to the count")
    func tracesLimit() {
        var lists = TraceLists()
        var row = SlabRow()
        for time in 1...10 {
            let (listed, hitLimit) = lists.add(Int64(time), trace: 0, to: &row, bound: 0, limit: 4)
            #expect(hitLimit == (time > 4))
            #expect(listed == min(time, 4))
        }
        let entry = lists.find(0, in: row)
        let times = entry.map { lists.times($0).array }
        #expect(times == [7, 8, 9, 10])
        #expect(entry?.base == 6)
        lists.clear(&row)
    }

    @Test("The value in force at any coming tick is that of the plain history", arguments: 1...10)
    func properties(_ seed: Int) {
        struct Assignment {
            var name: UInt32
            var time: Int64
            var value: [UInt8]
        }
        var generator = SeededGenerator(seed: UInt64(seed))
        var lists = PropertyLists()
        var row = SlabRow()
        var other = SlabRow()
        var model: [Assignment] = []
        var floor: Int64 = 0
        for step in 0..<300 {
            if generator.chance(percent: 20) { floor += Int64(generator.number(in: 0...30)) }
            let name = UInt32(generator.below(4))
            let time = floor + Int64(generator.number(in: -40...60))
            let value = encoded(
                "value \(step)" + String(repeating: "x", count: generator.below(40))
            )
            value.withByteView { view in
                let outcome = lists.assign(
                    name: name,
                    time: time,
                    value: ValueView(view),
                    to: &row,
                    floor: floor,
                    namesMax: .max,
                    countsName: { _ in true }
                )
                #expect(outcome != .beyondLimit)
                _ = lists.assign(
                    name: name,
                    time: time,
                    value: ValueView(view),
                    to: &other,
                    floor: .min,
                    namesMax: .max,
                    countsName: { _ in true }
                )
            }
            model.append(Assignment(name: name, time: time, value: value))
            let tick = floor + Int64(generator.below(80))
            for name in UInt32(0)..<5 {
                var newest: Assignment?
                for assignment in model where assignment.name == name && assignment.time <= tick {
                    if assignment.time >= newest?.time ?? .min { newest = assignment }
                }
                let instant = EventTime(milliseconds: tick)
                let found = lists.value(row, name: name, at: instant).bytes.array
                #expect(found == newest?.value ?? [], "step \(step), name \(name)")
                // Without a floor nothing is forgotten.
                let unforgotten = lists.value(other, name: name, at: instant).bytes.array
                #expect(unforgotten == found)
            }
            let change = model.map(\.time).filter { $0 > tick }.min()
            let found = lists.nextChange(row, after: EventTime(milliseconds: tick))?.milliseconds
            #expect(found == change)
        }
        #expect(row.words < other.words)
        lists.clear(&row)
        lists.clear(&other)
        #expect(lists.slab.wordsUsed == 0)
    }

    @Test("A name beyond the limit is ignored; names that do not count have room")
    func propertyLimit() {
        var lists = PropertyLists()
        var row = SlabRow()
        func assign(_ name: UInt32) -> PropertyLists.Outcome {
            encoded("v").withByteView {
                lists.assign(
                    name: name,
                    time: 0,
                    value: ValueView($0),
                    to: &row,
                    floor: 0,
                    namesMax: 2,
                    countsName: { $0 >= 10 }
                )
            }
        }
        #expect(assign(10) == .assigned)
        #expect(assign(1) == .assigned)
        #expect(assign(11) == .assigned)
        #expect(assign(12) == .beyondLimit)
        #expect(assign(10) == .repeated)
        #expect(assign(2) == .assigned)
        lists.clear(&row)
    }

    /// A text as the decoder encodes it.
    private func encoded(_ text: String) -> [UInt8] {
        var writer = ByteWriter()
        writer.write(ValueKind.text.rawValue)
        writer.write(prefixed: text)
        return writer.bytes
    }
}

extension TraceLists.Times {
    fileprivate var array: [Int64] { (0..<count).map { self[$0] } }
}
