import Basics
import Destinations
import HTTPAPI
import Synchronization
import YAML

/// A receiver of webhooks as one would write it: it verifies the signature of each request, refuses what is
/// not ours, and turns the body into delta records.
final class DemoReceiver: Sendable {
    private struct Counts {
        var verified = 0
        var refused = 0
    }

    private let server: HTTPServer
    private let counts: Box

    /// Where it listens.
    var url: String { "http://\(server.address)/hook" }
    var verifiedCount: Int { counts.value.withLock { $0.verified } }
    var refusedCount: Int { counts.value.withLock { $0.refused } }

    private final class Box: Sendable {
        let value = Mutex(Counts())
    }

    init(
        secret: String,
        delta: @escaping @Sendable ([UInt8]) -> Void
    ) throws(DaemonError) {
        let keys: WebhookSecret
        do throws(SecretError) {
            keys = try WebhookSecret(SecretText(secret))
        } catch {
            throw DaemonError(status: DaemonError.Status.software, error.description)
        }
        let counts = Box()
        self.counts = counts
        do throws(HTTPServerError) {
            server = try HTTPServer(listen: ListenAddress(port: 0)) { request in
                guard let records = Self.records(of: request, keys) else {
                    counts.value.withLock { $0.refused += 1 }
                    return .text(status: 401, "the signature does not fit\n")
                }
                counts.value.withLock { $0.verified += 1 }
                delta(records)
                return .text("ok\n")
            }
        } catch {
            throw DaemonError(status: DaemonError.Status.software, error.description)
        }
    }

    func stop() {
        server.stop()
    }

    /// The delta records of a request; nil where the signature or the body is not ours.
    private static func records(of request: HTTPAPI.HTTPRequest, _ keys: WebhookSecret) -> [UInt8]?
    {
        guard let id = request.headers["webhook-id"],
            let timestamp = request.headers["webhook-timestamp"],
            let signature = request.headers["webhook-signature"],
            keys.verify(id: id, timestamp: timestamp, body: request.body, signature: signature),
            let body = DocumentReader.read(request.body).documents.first,
            let cohort = body["cohort_id"]?.text, let tick = body["computed_time"]?.text,
            let seconds = Int64(tick), case .boolean(let isIn)? = body["in_cohort"]?.value,
            case .sequence(let users)? = body["users"]?.value
        else { return nil }
        let instant = EventTime(milliseconds: seconds * 1000).rfc3339
        var writer = JSONWriter()
        for user in users {
            writer.beginObject()
            writer.member("tick", instant)
            writer.member("cohort", cohort)
            writer.member("user", user["user_id"]?.text ?? "")
            writer.member("op", isIn ? "enter" : "exit")
            writer.endObject()
            writer.newline()
        }
        return writer.bytes
    }
}

extension Node {
    fileprivate subscript(key: String) -> Node? {
        guard case .mapping(let pairs) = value else { return nil }
        return pairs.first { $0.key == key }?.value
    }

    fileprivate var text: String? {
        guard case .text(let text) = value else { return nil }
        return text
    }
}
