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
                + first.isStandard + first.isUT
        )
        let (_, counts) = try header()
        guard problem == nil else { return }
        guard counts.leaps == 0 else {
            problem = "it counts leap seconds, which the time of events does not"
            return
        }
        try block(counts)
        guard problem == nil else { return }
        let rest = try reader.read(count: reader.remaining).array
        guard rest.count >= 2, rest.first == Self.newline, rest.last == Self.newline else {
            problem = "its rule does not stand between two line feeds"
            return
        }
        footer = String(decoding: rest.dropFirst().dropLast(), as: UTF8.self)
    }

    private static let newline = UInt8(ascii: "\n")
    /// Beyond any time of an event, and still far from the ends of 64 bits in milliseconds.
    private static let farthest: Int64 = 1 << 50
    /// What RFC 9636 (3.2) asks of writers: more than a day behind UTC or ahead of it is a damaged file.
    private static let offsetRange: ClosedRange<Int64> = -89_999...93_599

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
            let transition = Int64(bitPattern: UInt64(bigEndian: try reader.read()))
            // Some compilers begin with an instant before the Big Bang.
            transitions.append(min(max(transition, -Self.farthest), Self.farthest))
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
            count: counts.characters + counts.leaps * 12 + counts.isStandard + counts.isUT
        )
        guard let first = types.first, indices.allSatisfy({ $0 < types.count }) else {
            problem = "a transition names a type that is not there"
            return
        }
        guard zip(transitions, transitions.dropFirst()).allSatisfy({ $0 < $1 }) else {
            problem = "its transitions are not in order"
            return
        }
        guard types.allSatisfy(Self.offsetRange.contains) else {
            problem = "an offset lies more than a day from UTC"
            return
        }
        firstOffset = first
        offsets = indices.map { types[$0] }
    }

    private mutating func big32() throws(ByteReader.Truncated) -> UInt32 {
        UInt32(bigEndian: try reader.read())
    }
}
