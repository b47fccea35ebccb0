import Basics
import Configuration
import YAML

/// How users are named to the partner: `identity` of a template.
package struct Identity: Sendable {
    /// Which of the keys are sent.
    package enum Pick: String, CaseIterable, Sendable {
        /// The first that has a value.
        case first
        /// All that have one.
        case all
        /// The one that has a value; users with several are left out.
        case exactlyOne = "exactly_one"
    }

    /// What becomes of a value that is hashed already.
    package enum Prehashed: String, CaseIterable, Sendable {
        case reject
        case accept
    }

    /// Where a key's value comes from.
    package enum Source: Hashable, Sendable {
        /// The id that the sync's `identity` chose; empty for a user without one.
        case userID
        case deviceID
        /// A property of the user, as text.
        case property(String)

        /// As written: `user_id`, `device_id`, `props.NAME`.
        package var name: String {
            switch self {
            case .userID: "user_id"
            case .deviceID: "device_id"
            case .property(let name): "props." + name
            }
        }
    }

    /// The hashes; a closed list.
    enum Hash: String, CaseIterable, Sendable {
        case sha256Hex = "sha256_hex"
        case sha256Base64 = "sha256_b64"
        case md5Hex = "md5_hex"
    }

    /// Which users a key is for.
    enum UserKind: String, CaseIterable, Sendable {
        case anonymous
        case identified
    }

    /// One way to name a user.
    struct Key: Sendable {
        var name: String
        var source: Source
        var normalisers: [Normaliser] = []
        var hash: Hash?
        var match: BytePattern?
        /// Bytes before hashing.
        var byteCountMax = MappedRow.cellByteCountMax
        var onlyIf: UserKind?
    }

    /// Which of the keys are sent.
    package var pick = Pick.first
    var prehashed = Prehashed.reject
    /// Places among `keys` of which one at least must have a value; all where none are named.
    var required: [Int] = []
    var keys: [Key] = []

    /// The names of the keys, in order.
    package var names: [String] { keys.map(\.name) }
    /// The properties of users that keys are made from, each once.
    package var propertyNames: [String] {
        var names: [String] = []
        for case .property(let name) in keys.map(\.source) where !names.contains(name) {
            names.append(name)
        }
        return names
    }
}

extension Identity {
    /// Reads `identity` of a template.
    static func read(_ top: inout Section, _ findings: Findings) -> Identity {
        var identity = Identity()
        guard var section = top.sectionIfGiven("identity") else {
            top.report(
                .missingKey,
                at: top.mark,
                "identity is missing (expected {keys: [{name, from}]})"
            )
            return identity
        }
        section.read("pick", into: &identity.pick, .word)
        section.read("prehashed", into: &identity.prehashed, .word)
        let keys = section.node("keys")
        switch keys?.value {
        case .sequence(let nodes) where !nodes.isEmpty:
            for (index, node) in nodes.enumerated() {
                let inner = Section(
                    path: section.path(of: "keys[\(index)]"),
                    node: node,
                    findings: findings,
                    table: "identity.keys"
                )
                guard let key = Key.read(inner) else { continue }
                if identity.names.contains(key.name) {
                    section.report(
                        .conflict,
                        node,
                        "\(section.path(of: "keys[\(index)]")): \"\(key.name)\" is given twice"
                    )
                } else {
                    identity.keys.append(key)
                }
            }
        default:
            section.report(
                keys == nil ? .missingKey : .badType,
                at: keys?.mark ?? section.mark,
                "identity.keys: expected a list of {name, from}"
            )
        }
        var required: [String] = []
        let names = identity.names
        section.list("require", into: &required, .oneOf(names, what: "a name of identity.keys"))
        identity.required = required.compactMap { names.firstIndex(of: $0) }
        section.finish()
        return identity
    }
}

extension Identity.Key {
    fileprivate static func read(_ section: consuming Section) -> Identity.Key? {
        let name = section.required("name", .keyName)
        let source = section.required("from", .identitySource)
        var key = Identity.Key(name: name ?? "", source: source ?? .userID)
        section.list("normalise", into: &key.normalisers, .word)
        key.hash = section.optional("hash", .word)
        key.match = section.optional("match", .pattern)
        section.read("max_bytes", into: &key.byteCountMax, .integer(1...MappedRow.cellByteCountMax))
        key.onlyIf = section.optional("only_if", .word)
        section.finish()
        // A key without a source keeps its name, so that placeholders are not called unknown as well.
        return name == nil ? nil : key
    }
}

extension ValueReader where Value == BytePattern {
    static var pattern: ValueReader<BytePattern> {
        ValueReader<String>.text("a pattern").map { text throws(Refusal) in
            try BytePattern(text)
        }
    }
}

extension ValueReader where Value == Identity.Source {
    fileprivate static var identitySource: ValueReader<Identity.Source> {
        ValueReader<String>.text("user_id, device_id or props.NAME").map { text throws(Refusal) in
            switch text {
            case "user_id": return .userID
            case "device_id": return .deviceID
            default:
                guard text.hasPrefix("props."), text.utf8.count > 6 else {
                    throw Refusal(
                        .badValue,
                        "\"\(text.excerpt)\" is no source (expected user_id, device_id or props.NAME)"
                    )
                }
                return .property(String(text.dropFirst(6)))
            }
        }
    }
}

extension ValueReader where Value == String {
    fileprivate static var keyName: ValueReader<String> {
        text("a name").map { text throws(Refusal) in
            let reserved = ["row", "entering"]
            guard text.utf8.count <= 64, text.utf8.allSatisfy(Slug.isWord),
                !reserved.contains(text)
            else {
                throw Refusal(
                    .badValue,
                    "\"\(text.excerpt)\" is no name (expected up to 64 of A-Z a-z 0-9 _, not row or entering)"
                )
            }
            return text
        }
    }

    /// One of some names that the document itself gives.
    static func oneOf(_ names: [String], what: String) -> ValueReader<String> {
        text(what).map { text throws(Refusal) in
            if names.contains(text) { return text }
            let hint =
                Suggestion.nearest(to: text, among: names).map { " (did you mean \"\($0)\"?)" }
                ?? " (expected one of \(names.joined(separator: ", ")))"
            throw Refusal(.badValue, "there is no \"\(text.excerpt)\"\(hint)")
        }
    }
}
