/// Replaces secrets in any text by `***`: by value, wherever they came from.
///
/// The last line of defence of logs and error texts; the first is that secrets have their own type.
package struct Redactor: Sendable {
    private let secrets: [[UInt8]]

    /// Shorter values are left alone: hiding them would blot out ordinary words and tell the value.
    package static let bytesMin = 4

    /// A redactor of these secrets and of the parts of those that consist of several.
    package init(_ secrets: [SecretText]) {
        var values: Set<[UInt8]> = []
        for secret in secrets {
            let value = secret.reveal()
            let parts = value.split(whereSeparator: { $0 == " " || $0 == "\n" }).map(String.init)
            for text in [value] + parts {
                values.insert(Array(text.utf8))
                if text.hasPrefix(WebhookSecret.prefix) {
                    values.insert(Array(text.utf8.dropFirst(WebhookSecret.prefix.utf8.count)))
                }
            }
        }
        // The longest first, so that a secret inside another leaves no rest of the longer one.
        self.secrets = values.filter { $0.count >= Self.bytesMin }.sorted {
            $0.count != $1.count ? $0.count > $1.count : $0.lexicographicallyPrecedes($1)
        }
    }

    /// The text with every secret replaced.
    package func redact(_ text: String) -> String {
        if secrets.isEmpty { return text }
        var bytes = Array(text.utf8)
        for secret in secrets { bytes = Self.replace(secret, in: bytes) }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func replace(_ secret: [UInt8], in bytes: [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            if bytes[index] == secret[0], bytes[index...].starts(with: secret) {
                output.append(contentsOf: "***".utf8)
                index += secret.count
            } else {
                output.append(bytes[index])
                index += 1
            }
        }
        return output
    }
}
