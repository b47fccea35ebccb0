/// The bytes of a TZif file of version 2, made for a test.
struct TZifFile {
    /// Instants and the offset from each on, both in seconds.
    var transitions: [(at: Int64, offset: Int32)] = []
    /// The offset before the first.
    var firstOffset: Int32 = 0
    var version = UInt8(ascii: "2")
    var leaps: [(Int64, Int32)] = []
    /// What follows the second block; a rule stands between two line feeds.
    var tail = "\n\n"

    var bytes: [UInt8] {
        header(times: 0, types: 1, leaps: 0) + big(Int32(0)) + [0, 0] + [0]
            + header(times: transitions.count, types: transitions.count + 1, leaps: leaps.count)
            + transitions.flatMap { big($0.at) } + transitions.indices.map { UInt8($0 + 1) }
            + ([firstOffset] + transitions.map(\.offset)).flatMap { big($0) + [0, 0] } + [0]
            + leaps.flatMap { big($0.0) + big($0.1) } + Array(tail.utf8)
    }

    private func header(times: Int, types: Int, leaps: Int) -> [UInt8] {
        Array("TZif".utf8) + [version] + Array(repeating: 0, count: 15)
            + [0, 0, leaps, times, types, 1].flatMap { big(UInt32($0)) }
    }

    private func big<Integer: FixedWidthInteger>(_ number: Integer) -> [UInt8] {
        withUnsafeBytes(of: number.bigEndian) { Array($0) }
    }
}
