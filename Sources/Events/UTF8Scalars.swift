import Basics

/// Reads scalars off the UTF-8 of values, which is well formed by its making.
enum UTF8Scalars {
    /// How many bytes a scalar beyond ASCII has by its first byte.
    static func size(_ lead: UInt8) -> Int {
        lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2
    }

    /// The scalar of `size` bytes, two at least, at `base`; nil where these are no scalar.
    static func scalar(_ base: UnsafePointer<UInt8>, _ size: Int) -> Unicode.Scalar? {
        var value = UInt32(base[0]) & (0xff >> UInt32(size + 1))
        for index in 1..<size {
            guard base[index] & 0xc0 == 0x80 else { return nil }
            value = value << 6 | UInt32(base[index] & 0x3f)
        }
        return Unicode.Scalar(value)
    }
}
