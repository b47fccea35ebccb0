import Basics
import Configuration
import Delivery
import Destinations
import Sync
import Threads

/// A test of a webhook.
struct WebhookTest: HTTPDestinationTest {
    private let transport: WebhookTransport
    /// Whether the URL stands elsewhere, so that it may be a secret itself.
    private let isURLHidden: Bool
    private let sample: SampleBatch

    init(
        _ webhook: DestinationConfiguration.Webhook,
        _ destination: DestinationConfiguration,
        _ sample: SampleBatch,
        _ secrets: inout TestSecrets
    ) throws(ExitStatus) {
        self.sample = sample
        isURLHidden = webhook.url.isReference
        let url = try secrets.text(webhook.url, "settings.url", isOptional: false)
        // Nobody sees what is signed with the key that stands for one that is not there.
        let secret =
            try secrets.text(webhook.secret, "settings.secret")
            ?? SecretText(WebhookSecret.prefix + Base64.encode([UInt8](repeating: 0, count: 32)))
        do {
            let policy = try AddressPolicy(allowPrivate: destination.allowPrivate)
            transport = WebhookTransport(
                destination: destination.id,
                url: try DestinationURL(url?.reveal() ?? "", policy: policy),
                secret: try WebhookSecret(secret),
                policy: policy,
                timeoutMilliseconds: Int(webhook.timeoutMilliseconds),
                version: Version.text
            )
        } catch {
            throw secrets.problem("\(error)")
        }
    }

    func rendered() -> [ShownRequest] {
        [
            sample.request(
                entering: [sample.user],
                messageID: Self.messageID(.enter, uuid: "UUID")
            ),
            sample.request(
                leaving: [sample.leaver],
                messageID: Self.messageID(.exit, uuid: "UUID")
            ),
        ].map { batch in
            let request = request(batch)
            return ShownRequest(
                name: batch.operation.name,
                method: request.method,
                url: isURLHidden ? "***" : request.url.text,
                headers: request.headers.map { name, value in
                    (name, name == "webhook-signature" ? "v1,***" : value)
                },
                body: request.body
            )
        }
    }

    func steps(by sender: TestSender) -> [TestStep] {
        var generator = SeededGenerator(seed: SecureRandom.seed())
        return [Operation.enter, .exit].map { operation in
            let id = Self.messageID(operation, uuid: generator.uuid())
            let batch =
                operation == .enter
                ? sample.request(entering: [sample.user], messageID: id)
                : sample.request(leaving: [sample.user], messageID: id)
            let outcome = sender.send(request(batch))
            let verdict = transport.classify(outcome)
            guard let detail = verdict.detail else {
                return TestStep(name: operation.name, text: "delivered", isTaken: true)
            }
            var text = detail
            if case .answered(let answer) = outcome {
                text += TestStep.excerpt(of: answer.bodyPrefix)
            }
            return TestStep(name: operation.name, text: text, isTaken: false)
        }
    }

    private func request(_ batch: DeliveryRequest) -> HTTPRequest {
        transport.request(
            body: WebhookBody.render(batch),
            messageID: batch.messageID,
            now: sample.now,
            token: 1
        )
    }

    private static func messageID(_ operation: Operation, uuid: String) -> String {
        "\(uuid)::\(operation.name)::0"
    }
}
