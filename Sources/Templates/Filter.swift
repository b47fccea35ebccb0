import Basics
import Cryptography

/// What changes a placeholder's value behind a `|`; a closed list.
enum Filter: Hashable, Sendable {
    /// Percent-encodes as one segment of a path.
    case path
    /// Compatibility-decomposes, and every run of what is not `[A-Za-z0-9_]` becomes `-`; at most 100 bytes.
    case slug
    /// Every byte that is not `[A-Za-z0-9_]` becomes `_`.
    case word
    /// The value as the text of a JSON value.
    case json
    /// An instant as RFC 3339 text.
    case iso8601
    /// An instant as whole seconds since 1970.
    case epoch
    /// An instant as milliseconds since 1970.
    case epochMilliseconds
    /// Cuts a text off the front, where it is there.
    case stripPrefix(String)
    /// HMAC-SHA256 in lower-case hexadecimal, the key being a setting; nothing where that is not given.
    case hmacSHA256Hex(setting: String)

    /// The words of the list, with an argument where they take one.
    static let words = [
        "path", "slug", "word", "json", "iso8601", "epoch", "epoch_ms", "strip_prefix",
        "hmac_sha256_hex",
    ]

    /// Whether it takes a value of that type.
    func takes(_ kind: Placeholder.Kind) -> Bool {
        switch self {
        case .json: true
        case .iso8601, .epoch, .epochMilliseconds: kind == .instant
        default: kind == .text || kind == .integer
        }
    }

    /// What it makes of a value of that type.
    var result: Placeholder.Kind {
        switch self {
        case .epoch, .epochMilliseconds: .integer
        default: .text
        }
    }

    /// The value behind the filter.
    ///
    /// - Parameters:
    ///   - value: Of a type that it takes, which the template was checked for.
    ///   - setting: The value of a setting, nil where it is not given.
    ///   - decompose: Unicode's compatibility decomposition.
    /// - Returns: The changed value; nil where there is none.
    func apply(
        to value: TemplateValue,
        setting: (String) -> String?,
        decompose: CompatibilityDecomposition
    ) -> TemplateValue? {
        switch self {
        case .path: return .text(PercentEncoding.segment(value.text))
        case .slug: return .text(Slug.text(value.text, decompose: decompose))
        case .word:
            return .text(
                String(
                    decoding: value.text.utf8.map { Slug.isWord($0) ? $0 : UInt8(ascii: "_") },
                    as: UTF8.self
                )
            )
        case .json: return .text(value.json)
        case .iso8601: return .text(value.text)
        case .epoch:
            guard case .instant(let time) = value else { return value }
            return .integer(time.roundedDown(toMultipleOf: 1000).milliseconds / 1000)
        case .epochMilliseconds:
            guard case .instant(let time) = value else { return value }
            return .integer(time.milliseconds)
        case .stripPrefix(let prefix):
            let text = value.text
            return .text(text.hasPrefix(prefix) ? String(text.dropFirst(prefix.count)) : text)
        case .hmacSHA256Hex(let name):
            guard let key = setting(name), !key.isEmpty else { return nil }
            let code = MessageAuthentication.hmacSHA256(
                key: Array(key.utf8),
                Array(value.text.utf8)
            )
            var digits: [UInt8] = []
            code.withUnsafeBytes { Hexadecimal.append($0, to: &digits) }
            return .text(String(decoding: digits, as: UTF8.self))
        }
    }
}
