import Cryptography

/// Random bits nobody can guess.
///
/// For secrets, ids and the seeds of `SeededGenerator`. Any thread may call it.
package enum SecureRandom {
    /// `count` random bytes; a system that cannot give any stops the process.
    package static func bytes(count: Int) -> [UInt8] {
        SystemRandom.bytes(count: count)
    }

    /// 64 random bits, a seed for `SeededGenerator`.
    package static func seed() -> UInt64 {
        bytes(count: 8).reduce(0) { $0 << 8 | UInt64($1) }
    }
}
