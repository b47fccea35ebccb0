import Basics
import Cryptography

/// AWS Signature Version 4 of requests whose headers carry it.
///
/// Source: "AWS Signature Version 4 for API requests" of the AWS documentation. One thread at a time.
final class SignatureV4 {
    /// Who signs.
    struct Key {
        var accessKey: SecretText
        var secretKey: SecretText
        var region: String
        var service: String
    }

    /// What is signed; every header given is.
    struct Request {
        var method: String
        /// Percent-encoded.
        var path: String
        /// Names and values, percent-encoded, in any order.
        var query: [(name: String, value: String)] = []
        /// Names and values; `host` and `x-amz-date` must be among them.
        var headers: [(name: String, value: String)]
        /// The SHA-256 of the body in hexadecimal digits.
        var bodyHash: String
        /// `YYYYMMDDTHHMMSSZ`, as in `x-amz-date`.
        var instant: String
    }

    private let digest: MessageDigest

    /// Makes ready; nil where libcrypto has no SHA-256.
    init?() {
        guard let digest = MessageDigest(.sha256) else { return nil }
        self.digest = digest
    }

    /// The SHA-256 in hexadecimal digits.
    func hash(_ bytes: [UInt8]) -> String {
        bytes.withUnsafeBytes { digest.withHash(of: $0) { Self.hexDigits($0) } }
    }

    /// The value of `Authorization`.
    func authorization(_ request: Request, by key: Key) -> String {
        let headers = request.headers
            .map { (name: $0.name.lowercased(), value: Self.trimmed($0.value)) }
            .sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        let names = headers.map(\.name).joined(separator: ";")
        let canonical = [
            request.method, request.path, Self.canonicalQuery(request.query),
            headers.map { "\($0.name):\($0.value)\n" }.joined(), names, request.bodyHash,
        ].joined(separator: "\n")
        let day = String(request.instant.prefix(8))
        let scope = "\(day)/\(key.region)/\(key.service)/aws4_request"
        let text = [
            "AWS4-HMAC-SHA256", request.instant, scope, hash(Array(canonical.utf8)),
        ].joined(separator: "\n")
        var signingKey = Array("AWS4\(key.secretKey.reveal())".utf8)
        for part in [day, key.region, key.service, "aws4_request", text] {
            signingKey = MessageAuthentication.hmacSHA256(key: signingKey, Array(part.utf8))
        }
        let signature = signingKey.withUnsafeBytes { Self.hexDigits($0) }
        return "AWS4-HMAC-SHA256 Credential=\(key.accessKey.reveal())/\(scope), "
            + "SignedHeaders=\(names), Signature=\(signature)"
    }

    private static func canonicalQuery(_ query: [(name: String, value: String)]) -> String {
        query
            .sorted {
                $0.name == $1.name
                    ? $0.value.utf8.lexicographicallyPrecedes($1.value.utf8)
                    : $0.name.utf8.lexicographicallyPrecedes($1.name.utf8)
            }
            .map { "\($0.name)=\($0.value)" }.joined(separator: "&")
    }

    /// Without spaces at the ends, and a single one for several inside.
    private static func trimmed(_ value: String) -> String {
        value.split(separator: " ").joined(separator: " ")
    }

    private static func hexDigits(_ bytes: UnsafeRawBufferPointer) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(2 * bytes.count)
        for byte in bytes {
            text.append(JSONWriter.hexDigit(byte >> 4))
            text.append(JSONWriter.hexDigit(byte & 15))
        }
        return String(decoding: text, as: UTF8.self)
    }
}
