package import Basics
import Cryptography

/// Turns what is known of a user into the identifiers of a template.
///
/// Keeps buffers and hash functions between users, so that a user costs no allocation. One thread at a time.
package struct IdentityMapper {
    /// The values that ``map(_:into:)`` takes, in this order.
    package let sources: [Identity.Source]
    /// Whether all identifiers follow from the user's id, so that nobody needs to keep them.
    package let dependsOnUserIDOnly: Bool

    private struct Step {
        var key: Identity.Key
        var source: Int
        var digest: MessageDigest?
    }

    private let identity: Identity
    private let steps: [Step]
    private let userID: Int?
    private let decompose: CompatibilityDecomposition
    private var value: [UInt8] = []
    private var cells: [[UInt8]]

    /// A mapper for an identity.
    ///
    /// - Parameters:
    ///   - identity: Of a template.
    ///   - decompose: Unicode's compatibility decomposition.
    /// - Throws: `TemplateBindingError` where this machine lacks a hash function.
    package init(
        _ identity: Identity,
        decompose: @escaping CompatibilityDecomposition
    ) throws(TemplateBindingError) {
        var sources: [Identity.Source] = []
        func place(_ source: Identity.Source) -> Int {
            if let index = sources.firstIndex(of: source) { return index }
            sources.append(source)
            return sources.count - 1
        }
        var steps: [Step] = []
        for key in identity.keys {
            var step = Step(key: key, source: place(key.source))
            if let hash = key.hash {
                let function: MessageDigest.Function = hash == .md5Hex ? .md5 : .sha256
                guard let digest = MessageDigest(function) else {
                    throw TemplateBindingError(problems: [
                        "libcrypto of this machine has no \(function), which identity key "
                            + "\"\(key.name)\" needs"
                    ])
                }
                step.digest = digest
            }
            steps.append(step)
        }
        let needsUserID = identity.keys.contains { $0.onlyIf != nil }
        userID = needsUserID ? place(.userID) : nil
        self.identity = identity
        self.steps = steps
        self.sources = sources
        self.decompose = decompose
        dependsOnUserIDOnly = sources == [.userID]
        cells = Array(repeating: [], count: steps.count)
    }

    /// Appends a user's row to `row`.
    ///
    /// - Parameters:
    ///   - values: Those of ``sources``, in that order, as text: empty where the user has none. Numbers and
    ///     booleans as the language writes them.
    ///   - row: Receives the cells (``MappedRow``); left as it was where the user is refused.
    /// - Throws: Why the user cannot be named.
    /// - Complexity: O(bytes of the values).
    package mutating func map(
        _ values: [ByteView],
        into row: inout [UInt8]
    ) throws(MappingRefusal) {
        precondition(values.count == sources.count, "\(values.count) of \(sources.count) values")
        var given = 0
        var refusal = MappingRefusal.noValue
        var isRequiredGiven = identity.required.isEmpty
        for index in steps.indices {
            cells[index].removeAll(keepingCapacity: true)
            if identity.pick == .first, given > 0 { continue }
            do {
                guard try resolve(index, values) else { continue }
            } catch {
                // The first reason names what a person can mend; nothing at all says less than any.
                if refusal == .noValue { refusal = error }
                continue
            }
            swap(&cells[index], &value)
            given += 1
            if identity.required.contains(index) { isRequiredGiven = true }
        }
        guard given > 0, isRequiredGiven else { throw refusal }
        if identity.pick == .exactlyOne, given > 1 { throw .severalValues }
        for cell in cells { MappedRow.append(cell, to: &row) }
    }

    /// Brings the value of a key into `value`; false where the user has none.
    private mutating func resolve(_ index: Int, _ values: [ByteView]) throws(MappingRefusal) -> Bool
    {
        let step = steps[index]
        let source = values[step.source]
        guard !source.isEmpty else { return false }
        if let onlyIf = step.key.onlyIf, let userID {
            guard values[userID].isEmpty == (onlyIf == .anonymous) else { return false }
        }
        value.removeAll(keepingCapacity: true)
        value.append(contentsOf: source.buffer)
        if let hash = step.key.hash, Self.isHashed(value, hash) {
            guard identity.prehashed == .accept else { throw .alreadyHashed }
            Normaliser.lower.apply(to: &value, decompose: decompose)
            return true
        }
        for normaliser in step.key.normalisers {
            normaliser.apply(to: &value, decompose: decompose)
        }
        // What is left of "+000" is nothing, and the hash of nothing would be everybody's.
        guard !value.isEmpty else { return false }
        if let match = step.key.match, !value.withUnsafeBytes({ match.matches($0) }) {
            throw .badFormat
        }
        guard value.count <= step.key.byteCountMax else { throw .tooLong }
        if let hash = step.key.hash, let digest = step.digest {
            Self.hash(&value, hash, digest)
        }
        return true
    }

    private static func isHashed(_ value: [UInt8], _ hash: Identity.Hash) -> Bool {
        switch hash {
        case .sha256Hex, .sha256Base64: Hexadecimal.isDigits(value, count: 64)
        case .md5Hex: Hexadecimal.isDigits(value, count: 32)
        }
    }

    private static func hash(
        _ value: inout [UInt8],
        _ hash: Identity.Hash,
        _ digest: MessageDigest
    ) {
        withUnsafeTemporaryAllocation(byteCount: 64, alignment: 1) { buffer in
            let count = value.withUnsafeBytes { message in
                digest.withHash(of: message) { hashed in
                    buffer.copyMemory(from: hashed)
                    return hashed.count
                }
            }
            let hashed = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            value.removeAll(keepingCapacity: true)
            if hash == .sha256Base64 {
                value.append(contentsOf: Base64.encode(Array(hashed)).utf8)
            } else {
                Hexadecimal.append(hashed, to: &value)
            }
        }
    }
}
