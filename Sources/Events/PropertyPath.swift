import Basics

/// A property's name as a definition writes it, ready to be looked up.
///
/// A name is looked up as it stands; where that gives null or nothing, it is split at every dot and followed
/// into nested objects, never into arrays. Source: docs/cohorts.md, "Predicates on properties".
public struct PropertyPath: Sendable {
    /// The name as it stands.
    public let name: String
    /// What stands before the first dot; the whole name where there is none.
    public let head: String
    /// What stands between and behind the dots.
    private let rest: [[UInt8]]

    /// The name split at its dots.
    public init(_ name: String) {
        self.name = name
        let parts = name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        head = String(decoding: parts[0], as: UTF8.self)
        rest = parts.dropFirst().map { Array($0) }
    }

    /// Whether there is a second way to look it up.
    public var isDotted: Bool { !rest.isEmpty }

    /// Follows the path into the value found under ``head``; missing where it leads nowhere.
    public func follow(from value: ValueView) -> ValueView {
        guard isDotted else { return .missing }
        var value = value
        for part in rest {
            // Not `withByteView`: a generic of another module costs more than the search.
            value = part.withUnsafeBytes { value.member(ByteView($0)) }
            if value.isMissing { return value }
        }
        return value
    }

    /// Looks the name up among stored properties: what stands under the whole name, unless that is missing
    /// or null and the path from what stands under ``head`` leads to something.
    public func lookUp(asItStands: ValueView, underHead: ValueView) -> ValueView {
        guard asItStands.isMissingOrNull, isDotted else { return asItStands }
        let followed = follow(from: underHead)
        return followed.isMissing ? asItStands : followed
    }
}
