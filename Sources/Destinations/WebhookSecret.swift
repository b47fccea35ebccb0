import Basics
import Cryptography

/// The keys a webhook is signed with, by the scheme of Standard Webhooks (HMAC-SHA256, version
/// `v1`).
///
/// Written `whsec_` + base64 of 24…64 bytes, several separated by a space while keys are rotated;
/// the key is the decoded bytes. Describes itself as `***`. Source: docs/destinations/webhook.md,
/// "The signature".
package struct WebhookSecret: Sendable {
    /// What every secret begins with.
    package static let prefix = "whsec_"

    private let keys: [[UInt8]]

    /// Reads one or several secrets; one newline at the end is cut.
    /// - Throws: `SecretError.notAWebhookSecret` with the reason, never with the text.
    package init(_ secret: SecretText) throws(SecretError) {
        var text = secret.reveal()
        if text.utf8.last == UInt8(ascii: "\n") { text.unicodeScalars.removeLast() }
        guard !text.isEmpty else { throw .notAWebhookSecret(reason: "it is empty") }
        var keys: [[UInt8]] = []
        for part in text.split(separator: " ", omittingEmptySubsequences: false) {
            let place = "part \(keys.count + 1)"
            guard part.hasPrefix(Self.prefix) else {
                throw .notAWebhookSecret(
                    reason: part.isEmpty
                        ? "\(place) is empty" : "\(place) does not begin with \(Self.prefix)"
                )
            }
            guard let key = Base64.decode(String(part.dropFirst(Self.prefix.count))) else {
                throw .notAWebhookSecret(
                    reason: "\(place) is not base64 (A-Z a-z 0-9 + /, padded with =)"
                )
            }
            guard (24...64).contains(key.count) else {
                throw .notAWebhookSecret(reason: "\(place) holds \(key.count) bytes")
            }
            keys.append(key)
        }
        self.keys = keys
    }

    /// The value of the header `webhook-signature`: one `v1,` signature per key, in the order
    /// written.
    /// - Parameters:
    ///   - id: The value of `webhook-id`.
    ///   - timestamp: The value of `webhook-timestamp`, seconds since 1970-01-01 UTC.
    ///   - body: The body, byte for byte as sent.
    /// - Returns: For example `v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=`.
    package func signature(id: String, timestamp: Int64, body: [UInt8]) -> String {
        let message = Self.message(id: id, timestamp: String(timestamp), body: body)
        return keys.map {
            "v1," + Base64.encode(MessageAuthentication.hmacSHA256(key: $0, message))
        }
        .joined(separator: " ")
    }

    /// Whether a received `webhook-signature` holds a `v1` signature by one of the keys.
    ///
    /// For receivers; compares in constant time. The age of `timestamp` is the caller's to check.
    package func verify(
        id: String,
        timestamp: String,
        body: [UInt8],
        signature: String
    ) -> Bool {
        let message = Self.message(id: id, timestamp: timestamp, body: body)
        let expected = keys.map { MessageAuthentication.hmacSHA256(key: $0, message) }
        var matches = false
        for part in signature.split(separator: " ").prefix(16) where part.hasPrefix("v1,") {
            guard let given = Base64.decode(String(part.dropFirst(3))) else { continue }
            for digest in expected where MessageAuthentication.isEqual(given, digest) {
                matches = true
            }
        }
        return matches
    }

    private static func message(id: String, timestamp: String, body: [UInt8]) -> [UInt8] {
        var message: [UInt8] = []
        message.reserveCapacity(id.utf8.count + timestamp.utf8.count + body.count + 2)
        message.append(contentsOf: id.utf8)
        message.append(UInt8(ascii: "."))
        message.append(contentsOf: timestamp.utf8)
        message.append(UInt8(ascii: "."))
        message.append(contentsOf: body)
        return message
    }
}

extension WebhookSecret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "***" }
    package var debugDescription: String { "***" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
