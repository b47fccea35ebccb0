import Delivery
import Sync

/// Why an object is not in its bucket.
struct ObjectStoreError: Error {
    /// What that means for the run.
    let outcome: DeliveryOutcome

    init(_ outcome: DeliveryOutcome) {
        self.outcome = outcome
    }
}

extension ObjectStoreSettings {
    /// What an answer that is no success means.
    func error(_ answer: HTTPAnswer, _ what: String? = nil) -> ObjectStoreError {
        let code = StoreAnswer.element("Code", of: answer.bodyPrefix)
        let words = what.map { "; \($0)" } ?? ""
        let shownCode = code.map { " \($0)" } ?? ""
        let place = "bucket \(bucket) at \(bucketURL.target)"
        let start = "\(place) answers \(answer.status)\(shownCode)\(words)"
        switch (answer.status, code) {
        case (_, "RequestTimeTooSkewed"):
            return ObjectStoreError(
                .retriable(detail: "\(start): the clocks differ; correct this machine's clock")
            )
        case (_, "RequestTimeout"):
            return ObjectStoreError(.retriable(detail: "\(start): sent again"))
        case (401, _), (403, _), (400, "ExpiredToken"), (400, "InvalidToken"):
            return ObjectStoreError(
                .authenticationRefused(
                    detail: "\(start): it does not accept the keys; check access_key, secret_key,"
                        + " region, and that they may put objects there"
                )
            )
        case (404, "NoSuchUpload"):
            return ObjectStoreError(.retriable(detail: "\(start): sent again from the beginning"))
        case (404, _):
            return ObjectStoreError(
                .failed(detail: "\(start): create the bucket, or correct bucket and endpoint")
            )
        case (300...399, _), (400, "AuthorizationHeaderMalformed"):
            let region = answer.header("x-amz-bucket-region").flatMap { StoreAnswer.word($0) }
            return ObjectStoreError(
                .failed(
                    detail: "\(start): the bucket is elsewhere; correct region"
                        + (region.map { " to \($0)" } ?? "") + " or endpoint"
                )
            )
        case (408, _), (409, _), (429, _), (500..., _), (200...299, _):
            return ObjectStoreError(
                .retriable(
                    detail: "\(start): sent again until it takes the object",
                    retryAfterMilliseconds: answer.retryAfterMilliseconds
                )
            )
        default:
            return ObjectStoreError(
                .failed(detail: "\(start): it does not take the object; correct the settings")
            )
        }
    }
}

/// What is read of a store's answers, which are XML.
enum StoreAnswer {
    /// The text of the first element of that name; nil where there is none or it is no plain word.
    static func element(_ name: String, of body: [UInt8]) -> String? {
        guard let start = body.firstRange(of: Array("<\(name)>".utf8))?.upperBound,
            let end = body[start...].firstIndex(of: UInt8(ascii: "<"))
        else { return nil }
        return word(String(decoding: body[start..<end], as: UTF8.self))
    }

    /// A text that may be shown and sent: a few printable characters without markup.
    static func word(_ text: String) -> String? {
        let isPlain = text.utf8.allSatisfy {
            $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "<") && $0 != UInt8(ascii: "&")
        }
        return isPlain && (1...1024).contains(text.utf8.count) ? text : nil
    }
}
