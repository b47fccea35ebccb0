extension ConfigurationKey {
    /// The keys of a destination.
    package static let destination: [ConfigurationKey] = [
        ConfigurationKey(
            "id",
            "id",
            "",
            "Its name; unique among destinations."
        ),
        ConfigurationKey(
            "template",
            "name of a template",
            "",
            "How it is spoken to: one that is built in, or a file of `include.templates`."
        ),
        ConfigurationKey("settings", "map", "", "What the template needs, see below."),
        ConfigurationKey(
            "allow_private",
            "list of CIDR ranges",
            "[]",
            "Private and loopback addresses it may be at; only there may its URL be plain http."
        ),
    ]

    /// The settings of the template `webhook`.
    package static let webhook: [ConfigurationKey] = [
        ConfigurationKey("settings.url", "https URL", "", "Where requests go. May be a reference."),
        ConfigurationKey(
            "settings.secret",
            "reference",
            "",
            "Signs requests: `whsec_` and base64 of 24 to 64 bytes, several separated by spaces."
        ),
        ConfigurationKey(
            "settings.timeout",
            "1s … 120s",
            "30s",
            "After it the outcome of a request is unknown; what would undo it waits twice as long."
        ),
    ]

    /// The settings of the template `file`.
    package static let file: [ConfigurationKey] = [
        ConfigurationKey(
            "settings.path",
            "path",
            "",
            "Deltas are appended to it as JSON Lines. A relative path begins at the working directory."
        )
    ]

    /// The settings of the templates `kafka-topic` and `kafka-table`.
    package static let kafkaDestination: [ConfigurationKey] = [
        ConfigurationKey("settings.topic", "topic", "", "Where records go."),
        ConfigurationKey(
            "settings.properties",
            "map of librdkafka properties",
            "{}",
            "Go over those of `kafka.properties` one by one. A value may be a reference."
        ),
    ]

    /// The settings of the template `file-csv`.
    package static let fileCSV: [ConfigurationKey] = [
        ConfigurationKey(
            "settings.dir",
            "path",
            "",
            "The folder of the files; it must exist. A relative path begins at the working directory."
        )
    ]

    /// The settings of the template `s3-csv`.
    package static let objectStoreCSV: [ConfigurationKey] = [
        ConfigurationKey(
            "settings.endpoint",
            "https URL",
            "",
            "The object store, without the bucket. May be a reference."
        ),
        ConfigurationKey("settings.region", "text", "", "The region that requests are signed for."),
        ConfigurationKey("settings.bucket", "bucket", "", "The bucket; it must exist."),
        ConfigurationKey(
            "settings.prefix",
            "text",
            "\"\"",
            "Stands in front of the names of the files, such as `cohorts/`."
        ),
        ConfigurationKey("settings.access_key", "reference", "", "The id of the key."),
        ConfigurationKey("settings.secret_key", "reference", "", "The key itself."),
    ]

    /// The keys of every destination, whatever its template; templates of files bring settings of their own.
    static let anyDestination =
        destination + webhook + file + kafkaDestination + fileCSV + objectStoreCSV

    /// The keys of a sync.
    package static let sync: [ConfigurationKey] = [
        ConfigurationKey("id", "id", "", "Its name; unique among syncs."),
        ConfigurationKey("item.cohort", "cohort id", "", "Whose members are sent."),
        ConfigurationKey("destination", "destination id", "", "Where to."),
        ConfigurationKey(
            "cadence",
            "realtime | hourly | daily | on_demand",
            "realtime",
            "When changes are sent: realtime = at every tick. Not every destination takes each of them."
        ),
        ConfigurationKey("at", "\"HH:MM\"", "\"02:30\"", "When a daily sync runs, in `timezone`."),
        ConfigurationKey(
            "identity",
            "list of properties",
            "[user_id]",
            "What a user is called there: the first property that is not empty."
        ),
        ConfigurationKey(
            "properties",
            "list of properties",
            "[]",
            "What is sent along with the user, by `webhook`, `file-csv` and `s3-csv`."
        ),
        ConfigurationKey(
            "guard.share",
            "0 … 1, 1 = off",
            "0.3",
            "A change that removes more than this share of a sync's users waits for approval."
        ),
        ConfigurationKey(
            "guard.users",
            "0 … 10^12",
            "1000",
            "And more than so many users; fewer never wait."
        ),
        ConfigurationKey(
            "on_delete",
            "remove_all | leave",
            "remove_all",
            "Once the sync is deleted: remove_all = its users are taken out at the destination."
        ),
        ConfigurationKey(
            "coalesce",
            "latest | none",
            "latest",
            "latest = who is in and out again before the destination answers is not sent.",
            .defaultOnly
        ),
        ConfigurationKey(
            "reassert",
            "0s … 36500d, 0s = never",
            "24h",
            "How often everyone is sent again."
        ),
        ConfigurationKey(
            "success",
            "0 … 1",
            "0.95",
            "A run below this share is partially_succeeded."
        ),
        ConfigurationKey("paused", "true | false", "false", "Nothing is sent while it is true."),
    ]
}
