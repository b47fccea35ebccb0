import Testing

@testable import Basics

@Suite("CRC-32C")
struct CRC32CTests {
    @Test(
        "the vectors of RFC 3720 §B.4, with the processor's instruction and without",
        arguments: [
            ([UInt8](repeating: 0, count: 32), 0x8a91_36aa),
            ([UInt8](repeating: 0xff, count: 32), 0x62a8_ab43),
            ([UInt8](0..<32), 0x46dd_794e),
            ([UInt8]((0..<32).reversed()), 0x113f_db5c),
            (Array("123456789".utf8), 0xe306_9283),
            ([], 0),
        ] as [([UInt8], UInt32)]
    )
    func vectors(bytes: [UInt8], expected: UInt32) {
        bytes.withByteView { view in
            #expect(CRC32C.checksum(view) == expected)
            #expect(CRC32C.bySlicing(view, continuing: 0) == expected)
        }
    }

    @Test("both ways agree on every length, from any start, in any number of parts")
    func agree() {
        var generator = SeededGenerator(seed: 11)
        let bytes = (0..<300).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
        bytes.withByteView { view in
            for count in 0..<200 {
                let start = generator.below(100)
                let cut = generator.below(count + 1)
                let part = ByteView(base: view.base + start, count: count)
                let whole = CRC32C.bySlicing(part, continuing: 7)
                #expect(CRC32C.checksum(part, continuing: 7) == whole)
                let first = CRC32C.checksum(
                    ByteView(base: part.base, count: cut),
                    continuing: 7
                )
                let second = CRC32C.checksum(
                    ByteView(base: part.base + cut, count: count - cut),
                    continuing: first
                )
                #expect(second == whole, "\(start), \(cut) of \(count)")
            }
        }
    }
}
