import Basics
import Configuration
import Delivery
import Destinations
import KafkaDelivery
import Sync
import Templates
import Threads

/// Makes the couriers of configured destinations, and gives them other secrets later.
struct CourierFactory {
    /// The destinations.
    let loaded: LoadedConfiguration
    /// The properties of `kafka:`, references resolved.
    let kafka: [String: String]
    let sender: HTTPSender
    let routes: CourierRoutes
    let clock: SystemClock
    /// How long ago, in milliseconds, another process may have sent something; nil where none did.
    let sentBefore: Int64?
    /// Takes how a batch or run ended that a transport carries as a whole; any thread may.
    let complete: @Sendable (UInt64, DeliveryOutcome) -> Void
    /// Every secret, as of the last look at its file.
    var secrets: SecretStore

    private static let userAgent = "cohortd/\(Version.text)"

    /// The courier of a destination, with its secrets resolved and its address checked.
    mutating func make(
        _ destination: DestinationConfiguration
    ) throws(DaemonError) -> any Courier {
        do {
            switch destination.template {
            case .file(let file):
                return queue(destination, .file(FileTransport(path: file.path, complete: complete)))
            case .kafkaTopic(let topic):
                return queue(destination, .topic(try transport(destination, topic, .changes)))
            case .kafkaTable(let topic):
                return queue(destination, .topic(try transport(destination, topic, .table)))
            case .fileCSV(let csv):
                return queue(
                    destination,
                    .folder(RunFolderTransport(directory: csv.directory, complete: complete))
                )
            case .objectStoreCSV(let store):
                return queue(destination, .objects(try transport(destination, store)))
            case .webhook, .partner:
                let (settings, webhook) = try connect(destination)
                return HTTPCourier(
                    settings,
                    webhook: webhook,
                    sentBefore: sentBefore,
                    policy: try AddressPolicy(allowPrivate: destination.allowPrivate),
                    sender: sender,
                    routes: routes,
                    clock: clock
                )
            }
        } catch let error as DaemonError {
            throw error
        } catch {
            throw Self.error(destination, "\(error)")
        }
    }

    /// Gives a courier the secrets as they are now.
    mutating func renew(
        _ courier: any Courier,
        of destination: DestinationConfiguration
    ) throws(DaemonError) {
        do {
            if let courier = courier as? HTTPCourier {
                let (settings, webhook) = try connect(destination)
                try courier.credentialsChanged(settings, webhook: webhook)
            } else if let courier = courier as? QueueCourier {
                switch destination.template {
                case .objectStoreCSV(let store):
                    courier.credentialsChanged(try credentials(destination, store))
                case .kafkaTopic(let topic):
                    courier.replace(by: .topic(try transport(destination, topic, .changes)))
                case .kafkaTable(let topic):
                    courier.replace(by: .topic(try transport(destination, topic, .table)))
                case .file, .fileCSV, .webhook, .partner: break
                }
            }
        } catch {
            throw Self.error(destination, "\(error)")
        }
    }

    private static func error(
        _ destination: DestinationConfiguration,
        _ text: String
    ) -> DaemonError {
        DaemonError(
            status: DaemonError.Status.configuration,
            "destination \(destination.id): \(text)"
        )
    }

    private func queue(
        _ destination: DestinationConfiguration,
        _ transport: QueueCourier.Transport
    ) -> QueueCourier {
        QueueCourier(destination.id, transport, routes: routes)
    }

    private mutating func connect(
        _ destination: DestinationConfiguration
    ) throws -> (DestinationWorkerSettings, WebhookTransport?) {
        switch destination.template {
        case .webhook(let webhook): return try connect(destination, webhook)
        case .partner(let partner): return (try connect(destination, partner), nil)
        case .file, .kafkaTopic, .kafkaTable, .fileCSV, .objectStoreCSV:
            preconditionFailure("\(destination.id) is not spoken to over HTTP by a worker")
        }
    }

    private mutating func connect(
        _ destination: DestinationConfiguration,
        _ webhook: DestinationConfiguration.Webhook
    ) throws -> (DestinationWorkerSettings, WebhookTransport?) {
        let policy = try AddressPolicy(allowPrivate: destination.allowPrivate)
        let url = try secrets.secret(webhook.url, of: destination.id).reveal()
        let transport = WebhookTransport(
            destination: destination.id,
            url: try DestinationURL(url, policy: policy),
            secret: try WebhookSecret(secrets.secret(webhook.secret, of: destination.id)),
            policy: policy,
            timeoutMilliseconds: Int(webhook.timeoutMilliseconds),
            version: Version.text
        )
        return (
            DestinationWorkerSettings(
                webhook: destination.id,
                target: transport.url.target,
                timeoutMilliseconds: webhook.timeoutMilliseconds,
                userAgent: Self.userAgent
            ),
            transport
        )
    }

    private mutating func connect(
        _ destination: DestinationConfiguration,
        _ partner: DestinationConfiguration.Partner
    ) throws -> DestinationWorkerSettings {
        guard let template = loaded.template(of: destination.id) else {
            throw Self.error(destination, "template \(partner.template) is not there")
        }
        var values: [String: SettingValue] = [:]
        for (name, text) in partner.settings {
            let value = try secrets.secret(text, of: destination.id)
            values[name] = SettingValue(value.reveal())
        }
        return DestinationWorkerSettings(
            destination.id,
            template,
            values: values,
            decompose: CompatibilityForm.decompose,
            userAgent: Self.userAgent
        )
    }

    private mutating func transport(
        _ destination: DestinationConfiguration,
        _ topic: DestinationConfiguration.Kafka,
        _ records: TopicRecords
    ) throws -> TopicTransport {
        var properties: [String: String] = [:]
        for (name, value) in topic.properties {
            properties[name] = try secrets.secret(value, of: destination.id).reveal()
        }
        return TopicTransport(
            TopicSettings(
                topic: topic.topic,
                records: records,
                kafka: kafka,
                properties: properties,
                clientID: "cohortd-\(destination.id)"
            ),
            complete: complete
        )
    }

    private mutating func transport(
        _ destination: DestinationConfiguration,
        _ store: DestinationConfiguration.ObjectStoreCSV
    ) throws -> ObjectStoreTransport {
        let sender = sender
        return ObjectStoreTransport(
            try ObjectStoreSettings(
                destination: destination.id,
                endpoint: secrets.secret(store.endpoint, of: destination.id).reveal(),
                region: store.region,
                bucket: store.bucket,
                prefix: store.prefix,
                policy: AddressPolicy(allowPrivate: destination.allowPrivate)
            ),
            credentials: try credentials(destination, store),
            version: Version.text,
            clock: clock,
            exchange: { sender.exchange($0) },
            complete: complete
        )
    }

    private mutating func credentials(
        _ destination: DestinationConfiguration,
        _ store: DestinationConfiguration.ObjectStoreCSV
    ) throws -> ObjectStoreSettings.Credentials {
        ObjectStoreSettings.Credentials(
            accessKey: try secrets.secret(store.accessKey, of: destination.id),
            secretKey: try secrets.secret(store.secretKey, of: destination.id)
        )
    }
}
