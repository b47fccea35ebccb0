import CCrypto

/// Random bits nobody can guess, from the operating system through libcrypto.
package enum SystemRandom {
    /// `count` random bytes.
    ///
    /// A system that cannot give any has no safe way on, so this stops the process.
    package static func bytes(count: Int) -> [UInt8] {
        precondition(count >= 0 && count <= Int(Int32.max), "\(count) random bytes asked for")
        var bytes = [UInt8](repeating: 0, count: count)
        let status = RAND_bytes(&bytes, Int32(count))
        precondition(
            status == 1,
            "the system gives no random bytes (RAND_bytes returned \(status))"
        )
        return bytes
    }
}
