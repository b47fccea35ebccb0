import Configuration
import Destinations
import Sync

/// A destination with its secrets resolved and its address checked.
enum ConnectedDestination: Sendable {
    case webhook(WebhookTransport)
    case file(id: String, path: String)

    /// Resolves what the configuration refers to.
    init(
        _ configuration: DestinationConfiguration,
        version: String,
        surroundings: SecretSurroundings
    ) throws(DaemonError) {
        switch configuration.template {
        case .file(let file): self = .file(id: configuration.id, path: file.path)
        case .webhook(let webhook):
            do {
                let policy = try AddressPolicy(allowPrivate: configuration.allowPrivate)
                let url = try webhook.url.resolved(in: surroundings).reveal()
                let secret = try webhook.secret.resolved(in: surroundings)
                self = .webhook(
                    WebhookTransport(
                        destination: configuration.id,
                        url: try DestinationURL(url, policy: policy),
                        secret: try WebhookSecret(secret),
                        policy: policy,
                        timeoutMilliseconds: Int(webhook.timeoutMilliseconds),
                        version: version
                    )
                )
            } catch {
                throw DaemonError(
                    status: DaemonError.Status.configuration,
                    "destination \(configuration.id): \(error)"
                )
            }
        }
    }
}

extension ReferencedText {
    /// The text itself, fetched from where it stands.
    func resolved(in surroundings: SecretSurroundings) throws(SecretError) -> SecretText {
        switch self {
        case .plain(let text): SecretText(text)
        case .credential(let name):
            try SecretReference.credential(name).resolve(in: surroundings)
        case .file(let path): try SecretReference.file(path).resolve(in: surroundings)
        case .environment(let name):
            try SecretReference.environment(name).resolve(in: surroundings)
        }
    }
}

extension SyncSettings {
    /// What the planner needs of a configured sync.
    init(
        _ sync: SyncConfiguration,
        cohortName: String,
        destination: DestinationConfiguration
    ) {
        let timeout: Int64
        switch destination.template {
        case .webhook(let webhook): timeout = webhook.timeoutMilliseconds
        case .file: timeout = 30_000
        }
        self.init(
            id: sync.id,
            cohortID: sync.cohort,
            cohortName: cohortName,
            destinationID: destination.id,
            requestTimeoutMilliseconds: timeout,
            isPaused: sync.isPaused
        )
    }
}
