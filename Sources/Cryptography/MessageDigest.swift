import CCrypto

/// A hash function of libcrypto, kept ready to be used again and again.
///
/// Fetching an algorithm and making a context costs OpenSSL 3 several times as much as hashing a short text,
/// so both are done once. One thread at a time.
package final class MessageDigest {
    /// The functions there are.
    package enum Function: Sendable {
        case sha256
        /// For partners that still ask for it; it protects nothing.
        case md5

        /// How many bytes a hash has.
        package var byteCount: Int {
            switch self {
            case .sha256: 32
            case .md5: 16
            }
        }
    }

    /// Which one.
    package let function: Function
    private let algorithm: OpaquePointer
    private let context: OpaquePointer

    /// Makes one ready; nil where this libcrypto does not offer the function (MD5 in FIPS mode).
    package init?(_ function: Function) {
        let name =
            switch function {
            case .sha256: "SHA256"
            case .md5: "MD5"
            }
        guard let algorithm = EVP_MD_fetch(nil, name, nil) else { return nil }
        guard let context = EVP_MD_CTX_new() else {
            EVP_MD_free(algorithm)
            return nil
        }
        self.function = function
        self.algorithm = algorithm
        self.context = context
    }

    deinit {
        EVP_MD_CTX_free(context)
        EVP_MD_free(algorithm)
    }

    /// Lends the hash of a message.
    package func withHash<Result>(
        of message: UnsafeRawBufferPointer,
        _ body: (UnsafeRawBufferPointer) -> Result
    ) -> Result {
        withUnsafeTemporaryAllocation(byteCount: Int(EVP_MAX_MD_SIZE), alignment: 1) { hash in
            var count: UInt32 = 0
            let isMade =
                EVP_DigestInit_ex(context, algorithm, nil) == 1
                && EVP_DigestUpdate(context, message.baseAddress, message.count) == 1
                && EVP_DigestFinal_ex(
                    context,
                    hash.baseAddress?.assumingMemoryBound(to: UInt8.self),
                    &count
                ) == 1
            precondition(isMade, "libcrypto computes no \(function)")
            precondition(Int(count) == function.byteCount, "a \(function) of \(count) bytes")
            return body(UnsafeRawBufferPointer(rebasing: hash[..<Int(count)]))
        }
    }
}
