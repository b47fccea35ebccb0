import Basics
import Delivery
import Sync

/// Puts objects into a bucket, each whole or not at all.
///
/// Waits for every answer, so it belongs to a thread that may. Source: Amazon's "S3 API Reference", PutObject and
/// the multipart upload.
final class ObjectStore {
    /// An object larger than this goes up in parts of about this size.
    static let partByteCount = 8 << 20

    let settings: ObjectStoreSettings
    var credentials: ObjectStoreSettings.Credentials
    private let clock: any Clock
    private let exchange: (HTTPRequest) -> HTTPOutcome
    private let signature: SignatureV4
    private let userAgent: String

    /// A store that sends through `exchange`; `version` is this program's, for `User-Agent`.
    init(
        _ settings: ObjectStoreSettings,
        credentials: ObjectStoreSettings.Credentials,
        version: String,
        clock: any Clock,
        exchange: @escaping (HTTPRequest) -> HTTPOutcome
    ) {
        guard let signature = SignatureV4() else {
            preconditionFailure("libcrypto computes no SHA-256")
        }
        self.settings = settings
        self.credentials = credentials
        self.clock = clock
        self.exchange = exchange
        self.signature = signature
        userAgent = "cohortd/\(version)"
    }

    /// Puts an object under the prefix and `name`, replacing one that is there.
    ///
    /// `next` gives the object piece by piece, at least so many bytes until its end; no more than two pieces are
    /// held.
    func put(_ name: String, _ next: (_ byteCount: Int) -> [UInt8]?) throws(ObjectStoreError) {
        let path = objectPath(name)
        let first = next(Self.partByteCount) ?? []
        guard let second = next(Self.partByteCount) else {
            let answer = try send("PUT", path, body: first)
            try expectSuccess(answer)
            return
        }
        let upload = try beginUpload(path)
        do throws(ObjectStoreError) {
            var tags = [try putPart(1, first, of: upload, path)]
            var part: [UInt8]? = second
            while let bytes = part {
                tags.append(try putPart(tags.count + 1, bytes, of: upload, path))
                part = next(Self.partByteCount)
            }
            try complete(upload, path, tags)
        } catch {
            // Parts left behind would be paid for; without an answer the bucket's own rules clear up.
            _ = exchange(request("DELETE", path, [("uploadId", upload)], body: []))
            throw error
        }
    }

    private func beginUpload(_ path: String) throws(ObjectStoreError) -> String {
        let answer = try send("POST", path, [("uploads", "")])
        try expectSuccess(answer)
        guard let upload = StoreAnswer.element("UploadId", of: answer.bodyPrefix) else {
            throw settings.error(answer, "the answer names no upload")
        }
        return PercentEncoding.segment(upload)
    }

    private func putPart(
        _ number: Int,
        _ bytes: [UInt8],
        of upload: String,
        _ path: String
    ) throws(ObjectStoreError) -> String {
        let query = [("partNumber", String(number)), ("uploadId", upload)]
        let answer = try send("PUT", path, query, body: bytes)
        try expectSuccess(answer)
        guard let tag = answer.header("ETag"), !tag.contains("<"), !tag.contains("&") else {
            throw settings.error(answer, "the answer has no ETag")
        }
        return tag
    }

    private func complete(
        _ upload: String,
        _ path: String,
        _ tags: [String]
    ) throws(ObjectStoreError) {
        var text = "<CompleteMultipartUpload>"
        for (index, tag) in tags.enumerated() {
            text += "<Part><PartNumber>\(index + 1)</PartNumber><ETag>\(tag)</ETag></Part>"
        }
        text += "</CompleteMultipartUpload>"
        let answer = try send("POST", path, [("uploadId", upload)], body: Array(text.utf8))
        try expectSuccess(answer)
        // Amazon begins to answer before it knows how it ends.
        guard StoreAnswer.element("Code", of: answer.bodyPrefix) == nil else {
            throw settings.error(answer, "the upload was not completed")
        }
    }

    private func expectSuccess(_ answer: HTTPAnswer) throws(ObjectStoreError) {
        guard (200...299).contains(answer.status) else { throw settings.error(answer) }
    }

    private func send(
        _ method: String,
        _ path: String,
        _ query: [(name: String, value: String)] = [],
        body: [UInt8] = []
    ) throws(ObjectStoreError) -> HTTPAnswer {
        switch exchange(request(method, path, query, body: body)) {
        case .answered(let answer):
            return answer
        case .notSent(let text):
            throw ObjectStoreError(.retriable(detail: text, knownNotApplied: true))
        case .unknown(let text):
            throw ObjectStoreError(.retriable(detail: text))
        }
    }

    private func request(
        _ method: String,
        _ path: String,
        _ query: [(name: String, value: String)],
        body: [UInt8]
    ) -> HTTPRequest {
        let now = clock.now.roundedDown(toMultipleOf: 1000).rfc3339
        let instant = String(now.filter { $0 != "-" && $0 != ":" })
        let bodyHash = signature.hash(body)
        let signed = [
            ("host", settings.host), ("x-amz-content-sha256", bodyHash), ("x-amz-date", instant),
        ]
        let authorization = signature.authorization(
            SignatureV4.Request(
                method: method,
                path: path,
                query: query,
                headers: signed,
                bodyHash: bodyHash,
                instant: instant
            ),
            by: SignatureV4.Key(
                accessKey: credentials.accessKey,
                secretKey: credentials.secretKey,
                region: settings.region,
                service: "s3"
            )
        )
        let queryText = query.map { "\($0.name)=\($0.value)" }.joined(separator: "&")
        return HTTPRequest(
            destination: settings.destination,
            method: method,
            url: settings.bucketURL.sibling(path + (query.isEmpty ? "" : "?\(queryText)")),
            headers: signed.dropFirst() + [
                ("Authorization", authorization), ("Content-Type", "text/csv; charset=utf-8"),
                ("User-Agent", userAgent),
            ],
            body: body,
            timeoutMilliseconds: settings.timeoutMilliseconds,
            policy: settings.policy,
            token: 0
        )
    }

    private func objectPath(_ name: String) -> String {
        let segments = (settings.prefix + name).split(
            separator: "/",
            omittingEmptySubsequences: false
        )
        return settings.bucketPath
            + segments.map { "/\(PercentEncoding.segment(String($0)))" }.joined()
    }
}
