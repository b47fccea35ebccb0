package import Basics
import Cryptography

/// The keys that the API takes, as keyed digests: the keys themselves are not kept.
package struct APIKeyRing: Sendable, Equatable {
    /// Whoever has a key.
    package struct Owner: Sendable, Equatable {
        /// What logs call them.
        package let name: String
        /// What they may do.
        package let scopes: Set<APIScope>
        /// Where in the ring.
        let index: Int
    }

    /// Why keys make no ring; the texts name keys, and never show one.
    package enum Problem: Error, Equatable, CustomStringConvertible {
        /// A key is too short, too long, or holds what a header cannot carry.
        case unusable(name: String, reason: String)
        /// Two names stand for the same key, so nobody could tell who calls.
        case same(name: String, as: String)

        package var description: String {
            switch self {
            case .unusable(let name, let reason):
                "the key \"\(name)\" \(reason); make one with: openssl rand -base64 33"
            case .same(let name, let other):
                "\"\(name)\" and \"\(other)\" have the same key; give each a key of its own"
            }
        }
    }

    /// How many characters a key has.
    package static let keyCharacters = 32...1024

    /// Of this process, so that nothing can be looked up or prepared, and rings can be compared.
    private static let salt = SystemRandom.bytes(count: 32)

    private var digests: [[UInt8]] = []
    private var owners: [Owner] = []

    /// A ring without keys: whoever asks may do everything.
    package init() {}

    /// Whether it holds no key.
    package var isEmpty: Bool { owners.isEmpty }
    /// How many keys it holds.
    package var count: Int { owners.count }

    /// Adds a key.
    ///
    /// - Throws: `Problem`
    package mutating func add(
        _ name: String,
        key: String,
        scopes: Set<APIScope>
    ) throws(Problem) {
        let length = key.utf8.count
        guard Self.keyCharacters.contains(length) else {
            let bounds = "\(Self.keyCharacters.lowerBound) to \(Self.keyCharacters.upperBound)"
            throw .unusable(name: name, reason: "has \(length) characters instead of \(bounds)")
        }
        guard key.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw .unusable(name: name, reason: "holds a space or something that is not ASCII")
        }
        let digest = Self.digest(key)
        if let other = owner(ofDigest: digest) { throw .same(name: name, as: other.name) }
        owners.append(Owner(name: name, scopes: scopes, index: owners.count))
        digests.append(digest)
    }

    /// Whose key this is; nil for nobody's.
    ///
    /// Takes the same time for each key of one length, whether it is known, nearly known or not: digests are compared,
    /// to their ends, with every key.
    package func owner(of key: String) -> Owner? {
        owner(ofDigest: Self.digest(key))
    }

    private func owner(ofDigest digest: [UInt8]) -> Owner? {
        var found = -1
        for (index, known) in digests.enumerated() {
            let isEqual = MessageAuthentication.isEqual(known, digest)
            found = isEqual ? index : found
        }
        return found < 0 ? nil : owners[found]
    }

    private static func digest(_ key: String) -> [UInt8] {
        MessageAuthentication.hmacSHA256(key: salt, Array(key.utf8))
    }
}
