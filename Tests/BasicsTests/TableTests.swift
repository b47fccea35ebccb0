import Basics
import Testing

@Suite("Sets and tables")
struct TableTests {
    @Test("BitSet is a set of numbers")
    func bitSet() {
        var generator = SeededGenerator(seed: 3)
        var bits = BitSet()
        var model: Set<UInt32> = []
        for step in 0..<5000 {
            let number = UInt32(generator.below(generator.pick([1, 64, 65, 1000])))
            if generator.below(2) == 0 {
                let isNew = bits.insert(number)
                let isNewInModel = model.insert(number).inserted
                #expect(isNew == isNewInModel, "step \(step)")
            }
            #expect(bits[number] == model.contains(number))
            #expect(bits.count == model.count)
        }
        var listed: [UInt32] = []
        bits.forEach { listed.append($0) }
        #expect(listed == model.sorted())
        #expect(!bits[1_000_000])
    }

    @Test("ByteKeyTable numbers texts in the order they come, by bytes")
    func keyTable() {
        var generator = SeededGenerator(seed: 4)
        var table = ByteKeyTable()
        var model: [[UInt8]] = []
        for _ in 0..<3000 {
            let key = Array("key \(generator.below(700))".utf8)
            let index = key.withByteView { table.insert($0) }
            if let known = model.firstIndex(of: key) {
                #expect(index == known)
            } else {
                #expect(index == model.count)
                model.append(key)
            }
        }
        #expect(table.count == model.count)
        for (index, key) in model.enumerated() {
            #expect(key.withByteView { table.find($0) } == index)
            #expect(table[index] == key)
        }
        #expect("nowhere".withByteView { table.find($0) } == nil)
        #expect("".withByteView { table.find($0) } == nil)
        // Composed and decomposed texts are two.
        let composed = "\u{e9}".withByteView { table.insert($0) }
        let decomposed = "e\u{301}".withByteView { table.insert($0) }
        #expect(decomposed == composed + 1)
    }

    @Test("Views compare, sort and end as bytes do")
    func views() {
        func ordered(_ left: String, _ right: String) -> Bool {
            left.withByteView { left in right.withByteView { left.precedes($0) } }
        }
        #expect(ordered("a", "b") && !ordered("b", "a") && !ordered("a", "a"))
        #expect(
            ordered("a", "ab") && ordered("", "a") && ordered("Z", "a") && ordered("z", "\u{e9}")
        )
        #expect("\u{e9}".withByteView { view in !"e\u{301}".withByteView { $0.equals(view) } })
        #expect(" \t\r\n".withByteView { $0.isWhiteSpace } && "".withByteView { $0.isWhiteSpace })
        #expect(!"\u{a0}".withByteView { $0.isWhiteSpace })
        #expect(ByteView.empty.isEmpty && ByteView.empty.array.isEmpty)
        #expect("a".precedesByBytes("\u{e9}") && !"a".precedesByBytes("a"))
    }

    @Test("Random numbers are the same for a seed, for ever")
    func generator() {
        var generator = SeededGenerator(seed: 42)
        // Source: SplitMix64 of seed 42, computed apart.
        let first = (0..<3).map { _ in generator.next() }
        #expect(
            first == [
                13_679_457_532_755_275_413, 2_949_826_092_126_892_291, 5_139_283_748_462_763_858,
            ]
        )
        let numbers = (0..<1000).map { _ in generator.below(7) }
        #expect(Set(numbers) == Set(0..<7))
        let inRange = (0..<1000).map { _ in generator.number(in: -3...3) }
        #expect(Set(inRange) == Set(-3...3))
        let uuid = generator.uuid().split(separator: "-").map(String.init)
        #expect(uuid.map(\.count) == [8, 4, 4, 4, 12])
        #expect(uuid[2].hasPrefix("4") && "89ab".contains(uuid[3].prefix(1)))
    }
}
