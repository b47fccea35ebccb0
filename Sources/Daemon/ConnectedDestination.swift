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
        secrets: inout SecretStore
    ) throws(DaemonError) {
        switch configuration.template {
        case .kafkaTopic, .kafkaTable, .fileCSV, .objectStoreCSV, .partner:
            throw DaemonError(
                status: DaemonError.Status.configuration,
                "destination \(configuration.id): this version does not send by the template "
                    + "\(configuration.template.name) yet; take webhook or file"
            )
        case .file(let file): self = .file(id: configuration.id, path: file.path)
        case .webhook(let webhook):
            do {
                let policy = try AddressPolicy(allowPrivate: configuration.allowPrivate)
                let url = try secrets.secret(webhook.url, of: configuration.id).reveal()
                let secret = try secrets.secret(webhook.secret, of: configuration.id)
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
        default: timeout = 30_000
        }
        self.init(
            id: sync.id,
            cohortID: sync.cohort,
            cohortName: cohortName,
            destinationID: destination.id,
            cadence: sync.cadence == .realtime ? .realtime : .runs,
            requestTimeoutMilliseconds: timeout,
            isPaused: sync.isPaused
        )
        massExits = MassExitGuard(share: sync.blastGuard.share, users: sync.blastGuard.users)
        reassertMilliseconds = sync.reassertMilliseconds
        success = sync.success
    }
}
