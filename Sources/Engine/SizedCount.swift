/// A count, the size class of the block it is about, and a flag, in one 32-bit word: a user's record holds several.
struct SizedCount: BitwiseCopyable {
    private static let countBits: UInt32 = 26
    private static let countMax: UInt32 = 1 << countBits - 1
    private static let classBits: UInt32 = 5
    private static let classMask: UInt32 = (1 << classBits - 1) << countBits

    private var word: UInt32 = 0

    /// At most 2²⁶ − 1.
    var count: UInt32 {
        get { word & Self.countMax }
        set {
            precondition(newValue <= Self.countMax, "\(newValue) words of one user")
            word = word & ~Self.countMax | newValue
        }
    }

    /// At most 31.
    var sizeClass: UInt8 {
        get { UInt8(truncatingIfNeeded: (word & Self.classMask) >> Self.countBits) }
        set { word = word & ~Self.classMask | UInt32(newValue) << Self.countBits }
    }

    /// What the owner wants to know besides.
    var flag: Bool {
        get { word >> 31 != 0 }
        set { word = newValue ? word | 1 << 31 : word & ~(1 << 31) }
    }
}
