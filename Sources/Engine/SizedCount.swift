/// A count and the size class of the block it is about, in one 32-bit word: a user's record holds several.
struct SizedCount: BitwiseCopyable {
    private static let countBits: UInt32 = 27
    private static let countMax: UInt32 = 1 << countBits - 1

    private var word: UInt32 = 0

    /// At most 2²⁷ − 1.
    var count: UInt32 {
        get { word & Self.countMax }
        set {
            precondition(newValue <= Self.countMax, "\(newValue) words of one user")
            word = word & ~Self.countMax | newValue
        }
    }

    /// At most 31.
    var sizeClass: UInt8 {
        get { UInt8(truncatingIfNeeded: word >> Self.countBits) }
        set { word = word & Self.countMax | UInt32(newValue) << Self.countBits }
    }
}
