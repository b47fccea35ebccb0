import Basics
import Configuration
import Testing

/// The block that defines the configuration, with its comments.
private let specified = #"""
    # config/cohortd.yaml: every key with its default. Durations 500ms|60s|24h|7d, sizes 64KiB|1MiB; unknown keys are refused
    data_dir: /var/lib/cohortd
    timezone: UTC
    tick: 60s                       # 1s … 1h, divides 24h
    inactive_events: []
    identify: immediate             # immediate | next_event
    dedupe: {window: 7d, entries_max: 10000000}   # 0s = none; beyond entries_max the oldest goes first and is counted
    kafka:
      topic: events
      group: cohortd
      dead_letter_topic: cohortd.dead-letter    # none = rejects are counted and sampled into data_dir/rejects
      commands_topic: cohortd.commands          # uploads, identify, deletes; keyed by user, same partition count as the topic
      control_topic: cohortd.control            # compacted; objects made by the API
      start: earliest               # a partition we hold no snapshot of: earliest | latest
      on_gap: halt                  # halt | accept
      tombstone: ignore             # ignore | delete_user
      on_damage: halt               # halt | skip: a batch that cannot be read
      repartition: false            # re-key through an internal topic (identity)
      event_bytes_max: 1MiB
      properties: {bootstrap.servers: 127.0.0.1:9092}   # any librdkafka property
    snapshot: {interval: 10s, bytes: 64MiB}
    archive: {retention: 400d, bytes_max: 0}            # 0 = no bound; unused until the archive exists, as are commands_topic and control_topic
    history: {retention: 14d, bytes_max: 1GiB}
    delta_log: {retention: 24h, bytes_max: 1GiB}
    memory_max: 0                   # 0 = the cgroup's limit, else none
    limits: {users_max: 5000000, events_per_trace_max: 10000, properties_per_user_max: 1000, future_max: 7d}
    include: {cohorts: cohorts, destinations: destinations, syncs: syncs, templates: destinations/templates}   # folders, relative to this file
    accept_history: []              # cohorts that may start from incomplete history
    http:
      listen: 127.0.0.1:8080
      connections_max: 1024
      per_address_max: 64
      body_max: 8MiB
      requests_per_second: 100      # per key
      keys: []                      # [{name: ci, secret: "file:/etc/cohortd/ci.key", scopes: [read]}]: read export write admin profile ingest
      tls: {certificate: "", key: ""}
    log: {level: info, format: auto}   # error | warning | notice | info | debug; auto (journald prefixes under systemd) | text | json
    """#

@Suite("Defaults")
struct DefaultTests {
    @Test("the specified block is exactly the defaults")
    func specifiedBlock() {
        let (configuration, problems) = read(specified)
        #expect(problems.isEmpty)
        #expect(configuration == DaemonConfiguration())
    }

    @Test(
        "nothing, an empty map and empty sections are the defaults",
        arguments: ["", "{}", "kafka:\nhttp:\n"]
    )
    func nothing(text: String) {
        let (configuration, problems) = read(text)
        #expect(problems.isEmpty)
        #expect(configuration == DaemonConfiguration())
    }

    @Test("no file at all is the defaults")
    func noFile() {
        let reading = DaemonConfiguration.read(nil)
        #expect(reading.problems.isEmpty)
        #expect(reading.value.configuration == DaemonConfiguration())
    }

    @Test("the defaults are those of the documentation")
    func values() {
        let configuration = DaemonConfiguration()
        #expect(configuration.dataDirectory == "/var/lib/cohortd")
        #expect(configuration.timezone == "UTC")
        #expect(configuration.tickMilliseconds == 60_000)
        #expect(configuration.dedupe.windowMilliseconds == 604_800_000)
        #expect(configuration.dedupe.entriesMax == 10_000_000)
        #expect(configuration.kafka.topic == "events")
        #expect(configuration.kafka.deadLetterTopic == "cohortd.dead-letter")
        #expect(configuration.kafka.eventBytesMax == 1_048_576)
        #expect(configuration.kafka.properties == ["bootstrap.servers": .plain("127.0.0.1:9092")])
        #expect(configuration.snapshot.intervalMilliseconds == 10_000)
        #expect(configuration.snapshot.bytes == 67_108_864)
        #expect(configuration.limits.usersMax == 5_000_000)
        #expect(configuration.limits.eventsPerTraceMax == 10_000)
        #expect(configuration.limits.propertiesPerUserMax == 1000)
        #expect(configuration.limits.futureMaxMilliseconds == 604_800_000)
        #expect(configuration.http.listen.description == "127.0.0.1:8080")
        #expect(configuration.http.bodyMax == 8_388_608)
        #expect(configuration.log.level == .info)
        #expect(configuration.log.format == .auto)
    }

    @Test("every row of the table of keys is read, and its default is taken")
    func table() {
        for key in ConfigurationKey.daemon {
            let parts = key.path.split(separator: ".")
            var text = ""
            for (depth, part) in parts.enumerated() {
                text += String(repeating: "  ", count: depth) + part + ":"
                text += depth == parts.count - 1 ? " \(key.fallback)\n" : "\n"
            }
            let (configuration, problems) = read(text)
            #expect(problems.isEmpty, "\(text)")
            #expect(configuration == DaemonConfiguration(), "\(text)")
        }
    }

    @Test("the defaults that have no effect yet are known by name")
    func withoutEffect() {
        #expect(
            DaemonConfiguration.keysWithoutEffect == [
                "archive.retention", "archive.bytes_max",
                "history.retention", "history.bytes_max", "delta_log.retention",
                "delta_log.bytes_max",
            ]
        )
    }
}
