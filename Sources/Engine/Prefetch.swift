import CPrefetch

/// Memory that is needed soon, asked for now.
///
/// A core waits for a far cache line some hundred nanoseconds, and asks for ten or more at once. Where several users
/// are looked at one after the other, all their lines are asked for before the first is read.
enum Prefetch {
    /// Bytes of a cache line.
    static let lineBytes = 64

    /// Asks for the line an address lies in; waits for nothing, and any address will do.
    @inline(__always)
    static func line(_ address: UnsafeRawPointer) { cohortd_prefetch(address) }

    /// Asks for every line that one of `bytes` bytes from an address on lies in.
    @inline(__always)
    static func lines(_ address: UnsafeRawPointer, bytes: Int) {
        var offset = -(Int(bitPattern: address) & (lineBytes - 1))
        while offset < bytes {
            line(address + offset)
            offset += lineBytes
        }
    }
}
