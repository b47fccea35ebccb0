import CCrypto

/// HMAC-SHA256 (RFC 2104) and the comparison it needs.
package enum MessageAuthentication {
    /// The 32 bytes of HMAC-SHA256.
    package static func hmacSHA256(key: [UInt8], _ message: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        var count: UInt32 = 0
        let made = HMAC(
            EVP_sha256(),
            key,
            Int32(key.count),
            message,
            message.count,
            &digest,
            &count
        )
        precondition(made != nil, "libcrypto computes no HMAC-SHA256")
        precondition(count == 32, "an HMAC-SHA256 of \(count) bytes")
        return digest
    }

    /// Whether both hold the same bytes, in a time that tells nothing about where they differ.
    package static func isEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        left.count == right.count && CRYPTO_memcmp(left, right, left.count) == 0
    }
}
