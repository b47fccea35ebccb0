import Basics
import Glibc
import Synchronization

/// Replaces secrets in any text by `***`: by value, wherever they came from.
///
/// The last line of defence of logs and error texts; the first is that secrets have their own type. It never
/// forgets: a secret that was replaced may still be told by an answer or a line that was under way. Any thread
/// may call it.
package final class Redactor: Sendable {
    /// The longest first, so that a secret inside another leaves no rest of the longer one.
    private let secrets = Mutex<[[UInt8]]>([])

    /// Shorter values are left alone: hiding them would blot out ordinary words and tell the value.
    package static let bytesMin = 4

    /// Pieces of a secret URL behind its host that are as long are secrets of their own.
    private static let pieceBytesMin = 16

    /// A redactor that knows no secret yet.
    package init() {}

    /// From now on replaces this secret and, of one that consists of several, its parts.
    ///
    /// Of a URL also the long pieces of path and query: servers repeat them without the rest.
    package func learn(_ secret: SecretText) {
        let value = secret.reveal()
        let parts = value.split(whereSeparator: { $0 == " " || $0 == "\n" }).map(String.init)
        var values: Set<[UInt8]> = []
        for text in [value] + parts {
            values.insert(Array(text.utf8))
            // As lines and bodies in JSON have it.
            var escaped: [UInt8] = []
            text.withByteView { JSONWriter.appendEscaped($0, to: &escaped) }
            values.insert(escaped)
            if text.hasPrefix(WebhookSecret.prefix) {
                values.insert(Array(text.utf8.dropFirst(WebhookSecret.prefix.utf8.count)))
            }
            if text.hasPrefix("https://") || text.hasPrefix("http://") {
                let pieces = text.utf8.split(whereSeparator: { "/?&=".utf8.contains($0) })
                // The first two are scheme and host.
                values.formUnion(
                    pieces.dropFirst(2).filter { $0.count >= Self.pieceBytesMin }.map(Array.init)
                )
            }
        }
        secrets.withLock { secrets in
            values.formUnion(secrets)
            secrets = values.filter { $0.count >= Self.bytesMin }.sorted {
                $0.count != $1.count ? $0.count > $1.count : $0.lexicographicallyPrecedes($1)
            }
        }
    }

    /// The text with every secret replaced.
    package func redact(_ text: String) -> String {
        let bytes = Array(text.utf8)
        let redacted = redact(bytes)
        return redacted.count == bytes.count && redacted == bytes
            ? text : String(decoding: redacted, as: UTF8.self)
    }

    /// The bytes of a text with every secret replaced.
    ///
    /// - Complexity: O(bytes × secrets), at the speed of a search.
    package func redact(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        for secret in secrets.withLock({ $0 }) { bytes = Self.replace(secret, in: bytes) }
        return bytes
    }

    private static func replace(_ secret: [UInt8], in bytes: [UInt8]) -> [UInt8] {
        guard var found = find(secret, in: bytes, from: 0) else { return bytes }
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count)
        var start = 0
        while true {
            output += bytes[start..<found]
            output += "***".utf8
            start = found + secret.count
            guard let next = find(secret, in: bytes, from: start) else { break }
            found = next
        }
        return output + bytes[start...]
    }

    private static func find(_ secret: [UInt8], in bytes: [UInt8], from start: Int) -> Int? {
        bytes.withUnsafeBytes { all -> Int? in
            guard let base = all.baseAddress else { return nil }
            var position = start
            while position + secret.count <= all.count {
                let room = all.count - secret.count + 1 - position
                guard let first = memchr(base + position, Int32(secret[0]), room) else {
                    return nil
                }
                position = UnsafeRawPointer(first) - base
                if memcmp(first, secret, secret.count) == 0 { return position }
                position += 1
            }
            return nil
        }
    }
}
