/// One document of `config/destinations/*.yaml`.
package struct DestinationConfiguration: Hashable, Sendable {
    /// The settings of the template `webhook`.
    package struct Webhook: Hashable, Sendable {
        /// A plain one is checked; one that is referred to is to be checked once it is resolved.
        package var url: ReferencedText
        /// Always a reference.
        package var secret: ReferencedText
        /// 1 s … 120 s; also the base of the settle rule.
        package var timeoutMilliseconds: Int64 = 30_000
    }

    /// The settings of the template `file`.
    package struct File: Hashable, Sendable {
        /// A relative one begins at the working directory.
        package var path: String
    }

    /// The settings of the templates `kafka-topic` and `kafka-table`.
    package struct Kafka: Hashable, Sendable {
        /// Where records go.
        package var topic: String
        /// Those given, by librdkafka's names; they go over those of `kafka.properties` one by one.
        package var properties: [String: ReferencedText] = [:]

        /// Settings from their parts.
        package init(topic: String, properties: [String: ReferencedText] = [:]) {
            self.topic = topic
            self.properties = properties
        }
    }

    /// The settings of the template `file-csv`.
    package struct FileCSV: Hashable, Sendable {
        /// A relative one begins at the working directory.
        package var directory: String

        /// Settings from their parts.
        package init(directory: String) {
            self.directory = directory
        }
    }

    /// The settings of the template `s3-csv`.
    package struct ObjectStoreCSV: Hashable, Sendable {
        /// Without the bucket.
        ///
        /// A plain one is checked; one that is referred to is to be checked once it is resolved.
        package var endpoint: ReferencedText
        package var region: String
        package var bucket: String
        /// Stands in front of the names of objects.
        package var prefix = ""
        /// Always a reference.
        package var accessKey: ReferencedText
        /// Always a reference.
        package var secretKey: ReferencedText

        /// Settings from their parts.
        package init(
            endpoint: ReferencedText,
            region: String,
            bucket: String,
            prefix: String,
            accessKey: ReferencedText,
            secretKey: ReferencedText
        ) {
            self.endpoint = endpoint
            self.region = region
            self.bucket = bucket
            self.prefix = prefix
            self.accessKey = accessKey
            self.secretKey = secretKey
        }
    }

    /// A destination that a file of `include.templates` describes.
    package struct Partner: Hashable, Sendable {
        /// The template's name.
        package var template: String
        /// The template's, which syncs may have.
        package var cadences: [SyncConfiguration.Cadence]
        /// Those given, by the names of the template; checked, the secret ones always references.
        package var settings: [String: ReferencedText]

        /// A partner from its parts.
        package init(
            template: String,
            cadences: [SyncConfiguration.Cadence],
            settings: [String: ReferencedText]
        ) {
            self.template = template
            self.cadences = cadences
            self.settings = settings
        }
    }

    /// How it is spoken to.
    package enum Template: Hashable, Sendable {
        case webhook(Webhook)
        case file(File)
        case kafkaTopic(Kafka)
        /// A compacted topic of who is in.
        case kafkaTable(Kafka)
        case fileCSV(FileCSV)
        case objectStoreCSV(ObjectStoreCSV)
        case partner(Partner)

        /// As the key `template` names it.
        package var name: String {
            switch self {
            case .webhook: "webhook"
            case .file: "file"
            case .kafkaTopic: "kafka-topic"
            case .kafkaTable: "kafka-table"
            case .fileCSV: "file-csv"
            case .objectStoreCSV: "s3-csv"
            case .partner(let partner): partner.template
            }
        }

        /// How often syncs to it may run.
        package var cadences: [SyncConfiguration.Cadence] {
            switch self {
            case .webhook, .file, .kafkaTopic, .kafkaTable: SyncConfiguration.Cadence.allCases
            case .fileCSV, .objectStoreCSV: [.hourly, .daily, .onDemand]
            case .partner(let partner): partner.cadences
            }
        }

        /// Whether it sends properties along with users.
        package var takesProperties: Bool {
            switch self {
            case .webhook, .fileCSV, .objectStoreCSV: true
            case .file, .kafkaTopic, .kafkaTable, .partner: false
            }
        }
    }

    /// Unique among destinations.
    package var id: String
    /// How it is spoken to, with what that needs.
    package var template: Template
    /// Ranges of private and loopback addresses it may be at.
    package var allowPrivate: [String]
    /// Where its values stand.
    package var places: Places
}

/// What only the shell can check of a destination, so that its complaints come with a place as well.
///
/// Each says what is wrong and what to do, or nil.
package struct DestinationRules {
    /// About an element of `allow_private`.
    package var rangeComplaint: (_ range: String) -> String?
    /// About a URL that is no reference, with the ranges of `allow_private` that are right.
    package var urlComplaint: (_ url: String, _ allowPrivate: [String]) -> String?

    /// Rules from their parts; without them everything is taken.
    package init(
        rangeComplaint: @escaping (_ range: String) -> String? = { _ in nil },
        urlComplaint: @escaping (_ url: String, _ allowPrivate: [String]) -> String? = { _, _ in nil
        }
    ) {
        self.rangeComplaint = rangeComplaint
        self.urlComplaint = urlComplaint
    }
}
