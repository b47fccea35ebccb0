/// Reads the 64-bit block of a TZif file.
struct TZifReader {
    private var reader: ByteReader
    private(set) var transitions: [Int64] = []
    private(set) var offsets: [Int64] = []
    private(set) var firstOffset: Int64 = 0
    private(set) var footer = ""
    private(set) var problem: String?

    private struct Counts {
        var isUT = 0
        var isStandard = 0
        var leaps = 0
        var times = 0
        var types = 0
        var characters = 0
    }

    init(_ bytes: ByteView) {
        reader = ByteReader(bytes)
    }

    mutating func read() throws(ByteReader.Truncated) {
        let (version, first) = try header()
        guard problem == nil else { return }
        guard version >= UInt8(ascii: "2") else {
            problem = "it has version \(version), and 2 or later is needed"
            return
        }
        // The first block holds 32-bit times, which the second repeats in 64 bits.
        _ = try reader.read(
            count: first.times * 5 + first.types * 6 + first.characters + first.leaps * 8
                + first.isStandard + first.isUT)
        let (_, counts) = try header()
        guard problem == nil else { return }
        try block(counts)
        let rest = try reader.read(count: reader.remaining).array
        footer = String(decoding: rest.filter { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }

    private mutating func header() throws(ByteReader.Truncated) -> (UInt8, Counts) {
        let magic = try reader.read(count: 4)
        if !magic.equals("TZif") { problem = "it does not begin with TZif" }
        let version: UInt8 = try reader.read()
        _ = try reader.read(count: 15)
        var counts = Counts()
        counts.isUT = Int(try big32())
        counts.isStandard = Int(try big32())
        counts.leaps = Int(try big32())
        counts.times = Int(try big32())
        counts.types = Int(try big32())
        counts.characters = Int(try big32())
        return (version, counts)
    }

    private mutating func block(_ counts: Counts) throws(ByteReader.Truncated) {
        for _ in 0..<counts.times {
            transitions.append(Int64(bitPattern: UInt64(bigEndian: try reader.read())))
        }
        var indices: [Int] = []
        for _ in 0..<counts.times {
            let index: UInt8 = try reader.read()
            indices.append(Int(index))
        }
        var types: [Int64] = []
        for _ in 0..<counts.types {
            types.append(Int64(Int32(bitPattern: try big32())))
            _ = try reader.read(count: 2)
        }
        _ = try reader.read(
            count: counts.characters + counts.leaps * 12 + counts.isStandard + counts.isUT)
        guard let first = types.first, indices.allSatisfy({ $0 < types.count }) else {
            problem = "a transition names a type that is not there"
            return
        }
        firstOffset = first
        offsets = indices.map { types[$0] }
    }

    private mutating func big32() throws(ByteReader.Truncated) -> UInt32 {
        UInt32(bigEndian: try reader.read())
    }
}
