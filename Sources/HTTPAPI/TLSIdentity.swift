internal import CMicroHTTPD
import Glibc

/// A certificate and its private key, in PEM, which fit together.
package struct TLSIdentity: Sendable, Equatable {
    /// The certificate, and those of its authorities behind it.
    let certificate: String
    /// Its private key.
    let key: String

    /// Takes the contents of two files in PEM.
    ///
    /// - Throws: What is wrong with them, by the word of the library that is to use them.
    package init(certificate: String, key: String) throws(Problem) {
        self.certificate = certificate
        self.key = key
        var line = [CChar](repeating: 0, count: cohortd_mhd_problem_size)
        guard cohortd_mhd_refuses(certificate, key, &line) else { return }
        let text = String(
            decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)),
            as: UTF8.self
        )
        let reason = text.split(separator: ": ", maxSplits: 1).last ?? ""
        throw Problem(reason: String(reason.reversed().drop { ".\n".contains($0) }.reversed()))
    }

    /// Why a server cannot use them.
    package struct Problem: Error, Equatable, CustomStringConvertible {
        /// As GnuTLS has it.
        let reason: String

        package var description: String {
            "the certificate and the key cannot be used together: \(reason.isEmpty ? "no reason given" : reason); "
                + "give a certificate and its private key in PEM, the key without a password"
        }
    }
}

extension TLSIdentity: CustomStringConvertible, CustomReflectable {
    package var description: String { "TLSIdentity(***)" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// The texts of an identity for a C library that keeps pointers to them.
final class TLSTexts: Sendable {
    // Written once, here, and freed when nobody refers to this object any more.
    nonisolated(unsafe) let certificate: UnsafeMutablePointer<CChar>?
    nonisolated(unsafe) let key: UnsafeMutablePointer<CChar>?

    init(_ identity: TLSIdentity) {
        certificate = strdup(identity.certificate)
        key = strdup(identity.key)
    }

    deinit {
        if let key { explicit_bzero(key, strlen(key)) }
        free(certificate)
        free(key)
    }
}
