import Basics
import Testing

@Suite("Hashes that are stored")
struct HashingTests {
    private static let message = Array("The quick brown fox jumps over the lazy dog".utf8)

    @Test("hash64 has the values that are in files already")
    func goldenHashes() {
        let expected: [(Int, UInt64)] = [
            (0, 0xa550_6ff5_2926_ac13),
            (1, 0x20b4_51a3_845e_2a11),
            (7, 0x265b_15d3_c4a7_4cbf),
            (8, 0x2c3e_ca8f_42d4_0bf8),
            (9, 0x6487_6249_cbe5_37a7),
            (15, 0x52ef_474f_5b97_8864),
            (16, 0x5bf7_a980_ef57_d823),
            (17, 0x28b6_ec06_c5ca_ffd4),
            (31, 0x8677_18e8_99d3_b99b),
            (32, 0xbb4b_1b51_ed3e_83b3),
            (33, 0xa0bb_2475_ceb8_275b),
            (43, 0x2c39_3b06_1de9_40ca),
        ]
        for (count, hash) in expected {
            #expect(
                Self.message[0..<count].map { $0 }.withByteView { Hashing.hash64($0) } == hash,
                "\(count) bytes"
            )
        }
        #expect(Self.message.withByteView { Hashing.hash64($0, seed: 7) } == 0xc2c2_77e5_4576_a58f)
        #expect(Hashing.combine(1, 2) == 0x742d_639c_fb0b_35ab)
    }

    @Test("hash64 reads every byte and the length")
    func sensitivity() {
        var seen: Set<UInt64> = []
        for count in 0...64 {
            let zeros = [UInt8](repeating: 0, count: count)
            let isNew = seen.insert(zeros.withByteView { Hashing.hash64($0) }).inserted
            #expect(isNew, "\(count) zeros")
            for index in 0..<count {
                var one = zeros
                one[index] = 1
                let isNew = seen.insert(one.withByteView { Hashing.hash64($0) }).inserted
                #expect(isNew, "byte \(index) of \(count)")
            }
        }
    }
}
