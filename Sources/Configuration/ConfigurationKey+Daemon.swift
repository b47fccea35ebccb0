extension ConfigurationKey {
    /// The keys of `cohortd.yaml`, in its order.
    package static let daemon: [ConfigurationKey] = [
        ConfigurationKey(
            "data_dir",
            "path",
            "/var/lib/cohortd",
            "The state of the daemon. A relative path begins at the working directory."
        ),
        ConfigurationKey(
            "timezone",
            "IANA zone",
            "UTC",
            "Zone of calendar windows and local dates, for cohorts that name none."
        ),
        ConfigurationKey(
            "tick",
            "1s … 1h, divides 24h",
            "60s",
            "How often membership is evaluated and changes go out."
        ),
        ConfigurationKey(
            "inactive_events",
            "list of event types",
            "[]",
            "Types that are no sign of activity to `active`, `inactive` and `_active`."
        ),
        ConfigurationKey(
            "identify",
            "immediate | next_event",
            "immediate",
            "When the properties of an identify call count: at once, or from the user's next event on."
        ),
        ConfigurationKey(
            "dedupe.window",
            "0s … 36500d",
            "7d",
            "How long an event is remembered to drop its repetition; 0s = not at all."
        ),
        ConfigurationKey(
            "dedupe.entries_max",
            "1 … 10^12",
            "10000000",
            "Events remembered per partition; beyond it the oldest goes first and is counted."
        ),
        ConfigurationKey(
            "kafka.topic",
            "topic",
            "events",
            "The topic of the events. It is never created."
        ),
        ConfigurationKey(
            "kafka.group",
            "text",
            "cohortd",
            "The consumer group. Its offsets are for lag dashboards; the daemon starts at its own."
        ),
        ConfigurationKey(
            "kafka.dead_letter_topic",
            "topic | none",
            "cohortd.dead-letter",
            "Where rejected events go; none = they are counted, and sampled into data_dir/rejects."
        ),
        ConfigurationKey(
            "kafka.commands_topic",
            "topic",
            "cohortd.commands",
            "Uploads and identify calls, with as many partitions as the events; made where a cohort needs it."
        ),
        ConfigurationKey(
            "kafka.control_topic",
            "topic",
            "cohortd.control",
            "Objects made through the API: one partition, compacted; made when the API makes the first."
        ),
        ConfigurationKey(
            "kafka.start",
            "earliest | latest",
            "earliest",
            "Where a partition begins that data_dir holds nothing of."
        ),
        ConfigurationKey(
            "kafka.on_gap",
            "halt | accept",
            "halt",
            "When Kafka no longer has the next offset: the partition halts, or goes on at the first that exists."
        ),
        ConfigurationKey(
            "kafka.tombstone",
            "ignore | delete_user",
            "ignore",
            "What a record without a value means.",
            .defaultOnly
        ),
        ConfigurationKey(
            "kafka.on_damage",
            "halt | skip",
            "halt",
            "When a batch of Kafka cannot be read, also in ten tries: the partition halts, or leaves it out."
        ),
        ConfigurationKey(
            "kafka.repartition",
            "true | false",
            "false",
            "Send events through an internal topic keyed by user.",
            .defaultOnly
        ),
        ConfigurationKey(
            "kafka.event_bytes_max",
            "1B … 1GiB",
            "1MiB",
            "The longest record; longer ones are rejected as too_large."
        ),
        ConfigurationKey(
            "kafka.properties",
            "map of librdkafka properties",
            "{bootstrap.servers: 127.0.0.1:9092}",
            "Given properties go over the default one by one. A value may be a reference."
        ),
        ConfigurationKey(
            "snapshot.interval",
            "100ms … 1d",
            "10s",
            "The longest time between two durable states; a crash replays as much."
        ),
        ConfigurationKey(
            "snapshot.bytes",
            "4KiB … 1TiB",
            "64MiB",
            "Bytes of events after which state is made durable before the interval is over."
        ),
        ConfigurationKey(
            "archive.retention",
            "1h … 36500d",
            "400d",
            "How long events are archived.",
            .withoutEffect
        ),
        ConfigurationKey(
            "archive.bytes_max",
            "size, 0 = no bound",
            "0",
            "The largest archive.",
            .withoutEffect
        ),
        ConfigurationKey(
            "history.retention",
            "1h … 36500d",
            "14d",
            "How long the history of syncs is kept.",
            .withoutEffect
        ),
        ConfigurationKey(
            "history.bytes_max",
            "size",
            "1GiB",
            "The largest history.",
            .withoutEffect
        ),
        ConfigurationKey(
            "delta_log.retention",
            "1h … 36500d",
            "24h",
            "How long deltas can be read again.",
            .withoutEffect
        ),
        ConfigurationKey(
            "delta_log.bytes_max",
            "size",
            "1GiB",
            "The largest delta log.",
            .withoutEffect
        ),
        ConfigurationKey(
            "memory_max",
            "size, 0 = the cgroup's limit, else none",
            "0",
            "The memory that the process may take. From 85 % on the log warns, from 95 % on nothing is read."
        ),
        ConfigurationKey(
            "limits.users_max",
            "1 … 4000000000",
            "5000000",
            "Users per partition (replay: of the file); events of further ones are rejected."
        ),
        ConfigurationKey(
            "limits.events_per_trace_max",
            "1 … 10^9",
            "10000",
            "Events kept of one user for one clause; beyond it the oldest go and the user is approximate."
        ),
        ConfigurationKey(
            "limits.properties_per_user_max",
            "1 … 10^6",
            "1000",
            "Property names kept of one user; further ones are ignored and counted."
        ),
        ConfigurationKey(
            "limits.future_max",
            "0s … 36500d",
            "7d",
            "How far ahead of its arrival an event may be stamped; beyond it is rejected as future."
        ),
        ConfigurationKey("include.cohorts", "folder", "cohorts", "Cohort definitions."),
        ConfigurationKey("include.destinations", "folder", "destinations", "Destinations."),
        ConfigurationKey("include.syncs", "folder", "syncs", "Syncs."),
        ConfigurationKey(
            "include.templates",
            "folder",
            "destinations/templates",
            "Templates of destinations."
        ),
        ConfigurationKey(
            "accept_history",
            "list of cohort ids",
            "[]",
            "Cohorts that may start although Kafka no longer has all the events they look at."
        ),
        ConfigurationKey(
            "http.listen",
            "address:port",
            "127.0.0.1:8080",
            "Where the API listens; port 0 = any free one. Beyond loopback it takes `http.keys`."
        ),
        ConfigurationKey("http.connections_max", "1 … 65536", "1024", "Open connections."),
        ConfigurationKey(
            "http.per_address_max",
            "1 … 65536",
            "64",
            "Open connections of one address."
        ),
        ConfigurationKey("http.body_max", "1KiB … 1GiB", "8MiB", "The longest body of a request."),
        ConfigurationKey(
            "http.requests_per_second",
            "1 … 10^6",
            "100",
            "Requests of one key in a second; a second's worth may come at once."
        ),
        ConfigurationKey(
            "http.keys",
            "list of {name, secret, scopes}",
            "[]",
            "Who may call the API; none = whoever reaches the loopback address."
        ),
        ConfigurationKey(
            "http.tls.certificate",
            "absolute path or reference",
            "\"\"",
            "Certificate of the API and those of its authorities, in PEM; none = plain HTTP."
        ),
        ConfigurationKey(
            "http.tls.key",
            "absolute path or reference",
            "\"\"",
            "Its private key, in PEM, without a password."
        ),
        ConfigurationKey(
            "log.level",
            "error | warning | notice | info | debug",
            "info",
            "Lines below it are not written."
        ),
        ConfigurationKey(
            "log.format",
            "auto | text | json",
            "auto",
            "auto = text, with the journal's prefixes under systemd."
        ),
    ]

    /// An element of `http.keys`.
    package static let httpKey: [ConfigurationKey] = [
        ConfigurationKey("http.keys.name", "id", "", "What the log calls whoever has the key."),
        ConfigurationKey(
            "http.keys.secret",
            "reference",
            "",
            "The key itself, at least 32 characters; read at the start and on SIGHUP."
        ),
        ConfigurationKey(
            "http.keys.scopes",
            "list of read, export, write, admin, profile, ingest",
            "",
            "What it may do; see the table of [the API](api.md#keys)."
        ),
    ]
}
