import Basics
import Configuration
import Testing

@Suite("Values that are taken")
struct AcceptedValueTests {
    @Test("every key that works can be changed")
    func all() {
        let (configuration, problems) = read(
            """
            data_dir: /srv/cohortd
            timezone: Europe/Berlin
            tick: 10s
            inactive_events: [ping, push_received]
            dedupe: {window: 0s, entries_max: 5}
            kafka:
              topic: clicks
              group: g
              dead_letter_topic: none
              start: latest
              event_bytes_max: 100B
              properties:
                bootstrap.servers: "a:9092,b:9092"
                fetch.wait.max.ms: 50
                enable.ssl.certificate.verification: true
                sasl.password: credential:kafka
                group.instance.id: one
            snapshot: {interval: 1s, bytes: 1MiB}
            memory_max: 4GiB
            limits: {users_max: 10, events_per_trace_max: 20, properties_per_user_max: 30, future_max: 0s}
            include: {cohorts: /etc/c, destinations: d, syncs: s}
            accept_history: [big-spenders]
            http: {listen: "[::1]:0", connections_max: 2, per_address_max: 1, body_max: 1KiB}
            log: {level: debug, format: json}
            """
        )
        #expect(problems.isEmpty)
        #expect(configuration.dataDirectory == "/srv/cohortd")
        #expect(configuration.timezone == "Europe/Berlin")
        #expect(configuration.tickMilliseconds == 10_000)
        #expect(configuration.inactiveEvents == ["ping", "push_received"])
        #expect(configuration.dedupe.windowMilliseconds == 0)
        #expect(configuration.dedupe.entriesMax == 5)
        #expect(configuration.kafka.topic == "clicks")
        #expect(configuration.kafka.group == "g")
        #expect(configuration.kafka.deadLetterTopic == nil)
        #expect(configuration.kafka.start == .latest)
        #expect(configuration.kafka.eventBytesMax == 100)
        #expect(
            configuration.kafka.properties == [
                "bootstrap.servers": .plain("a:9092,b:9092"), "fetch.wait.max.ms": .plain("50"),
                "enable.ssl.certificate.verification": .plain("true"),
                "sasl.password": .credential("kafka"), "group.instance.id": .plain("one"),
            ]
        )
        #expect(configuration.snapshot.intervalMilliseconds == 1000)
        #expect(configuration.snapshot.bytes == 1 << 20)
        #expect(configuration.memoryMax == 4 << 30)
        #expect(configuration.limits.usersMax == 10)
        #expect(configuration.limits.eventsPerTraceMax == 20)
        #expect(configuration.limits.propertiesPerUserMax == 30)
        #expect(configuration.limits.futureMaxMilliseconds == 0)
        #expect(configuration.include.cohorts == "/etc/c")
        #expect(configuration.include.destinations == "d")
        #expect(configuration.include.syncs == "s")
        #expect(configuration.acceptHistory == ["big-spenders"])
        #expect(configuration.http.listen == ListenAddress("[::1]:0"))
        #expect(configuration.http.connectionsMax == 2)
        #expect(configuration.http.perAddressMax == 1)
        #expect(configuration.http.bodyMax == 1024)
        #expect(configuration.log.level == .debug)
        #expect(configuration.log.format == .json)
    }

    @Test("given properties go over the default one by one")
    func propertiesMerge() {
        let (configuration, problems) = read("kafka: {properties: {client.id: x}}")
        #expect(problems.isEmpty)
        #expect(
            configuration.kafka.properties
                == ["bootstrap.servers": .plain("127.0.0.1:9092"), "client.id": .plain("x")]
        )
    }

    @Test("JSON is taken as well")
    func json() {
        let (configuration, problems) = read(#"{"tick": "5m", "limits": {"users_max": 7}}"#)
        #expect(problems.isEmpty)
        #expect(configuration.tickMilliseconds == 300_000)
        #expect(configuration.limits.usersMax == 7)
    }

    @Test(
        "listen addresses of this machine",
        arguments: [
            ("127.0.0.1:1", "127.0.0.1:1"), ("127.9.9.9:65535", "127.9.9.9:65535"),
            ("localhost:80", "127.0.0.1:80"),
        ]
    )
    func loopback(text: String, expected: String) {
        let (configuration, problems) = read("http: {listen: \"\(text)\"}")
        #expect(problems.isEmpty)
        #expect(configuration.http.listen.description == expected)
    }

    @Test("replay takes its part of the file")
    func replay() {
        let (configuration, problems) = read(
            """
            timezone: Europe/Berlin
            inactive_events: [ping]
            dedupe: {window: 1h}
            limits: {future_max: 1h}
            kafka: {event_bytes_max: 2KiB, topic: other}
            """
        )
        #expect(problems.isEmpty)
        let replay = configuration.replay
        #expect(replay.timezone == "Europe/Berlin")
        #expect(replay.inactiveEvents == ["ping"])
        #expect(replay.identify == .immediate)
        #expect(replay.dedupe.windowMilliseconds == 3_600_000)
        #expect(replay.limits.futureMaxMilliseconds == 3_600_000)
        #expect(replay.eventBytesMax == 2048)
        #expect(ReplayConfiguration() == DaemonConfiguration().replay)
    }
}

@Suite("Values that are refused")
struct RefusedValueTests {
    @Test(
        "each with its place, its code and what to do",
        arguments: [
            (
                "tick: 60",
                "c.yaml:1:7: error[bad_type]: tick: 60 has no unit: write 60s, or ms, m, h, d, w"
            ),
            (
                "tick: fast",
                "c.yaml:1:7: error[bad_value]: tick: \"fast\" is no duration (expected an integer and ms, s, m, h, d or w, such as 60s)"
            ),
            ("tick: 500ms", "c.yaml:1:7: error[out_of_range]: tick: 500ms is not in 1s … 1h"),
            ("tick: 2h", "c.yaml:1:7: error[out_of_range]: tick: 2h is not in 1s … 1h"),
            (
                "tick: 7s",
                "c.yaml:1:7: error[out_of_range]: tick: does not divide 24h (expected such as 10s, 60s, 5m, 1h)"
            ),
            (
                "tick: []",
                "c.yaml:1:7: error[bad_type]: tick: expected a duration such as 60s, not a list"
            ),
            (
                "tick:",
                "c.yaml:1:6: error[bad_type]: tick: expected a duration such as 60s, not nothing"
            ),
            (
                "data_dir: \"\"",
                "c.yaml:1:11: error[bad_value]: data_dir: expected a path, not an empty text"
            ),
            (
                "data_dir: 5",
                "c.yaml:1:11: error[bad_type]: data_dir: expected a path, not the number 5: quote it"
            ),
            (
                "inactive_events: ping",
                "c.yaml:1:18: error[bad_type]: inactive_events: expected a list, not \"ping\""
            ),
            (
                "inactive_events: [a, a]",
                "c.yaml:1:22: error[conflict]: inactive_events[1]: \"a\" is given twice"
            ),
            (
                "dedupe: {entries_max: 0}",
                "c.yaml:1:23: error[out_of_range]: dedupe.entries_max: 0 is not in 1 … 1000000000000"
            ),
            (
                "dedupe: {entries_max: 1.5}",
                "c.yaml:1:23: error[bad_type]: dedupe.entries_max: expected an integer in 1 … 1000000000000, not 1.5"
            ),
            (
                "dedupe: {entries_max: 5_000}",
                "c.yaml:1:23: error[bad_type]: dedupe.entries_max: expected an integer in 1 … 1000000000000, not \"5_000\""
            ),
            (
                "dedupe: 7d",
                "c.yaml:1:9: error[bad_type]: dedupe: expected a map of keys, not \"7d\""
            ),
            (
                "snapshot: {bytes: 64}",
                "c.yaml:1:19: error[bad_type]: snapshot.bytes: 64 has no unit: write 64B, or KiB, MiB, GiB, TiB"
            ),
            (
                "snapshot: {bytes: 64MB}",
                "c.yaml:1:19: error[bad_value]: snapshot.bytes: \"64MB\" is no size (expected an integer and B, KiB, MiB, GiB or TiB, such as 64MiB)"
            ),
            (
                "snapshot: {bytes: 1KiB}",
                "c.yaml:1:19: error[out_of_range]: snapshot.bytes: 1KiB is not in 4KiB … 1TiB"
            ),
            (
                "limits: {future_max: 36501d}",
                "c.yaml:1:22: error[out_of_range]: limits.future_max: 36501d is not in 0s … 36500d"
            ),
            (
                "limits: {users_max: 4000000001}",
                "c.yaml:1:21: error[out_of_range]: limits.users_max: 4000000001 is not in 1 … 4000000000"
            ),
            (
                "log: {level: warn}",
                "c.yaml:1:14: error[bad_value]: log.level: \"warn\" is not known (expected one of error, warning, notice, info, debug)"
            ),
            (
                "log: {level: inof}",
                "c.yaml:1:14: error[bad_value]: log.level: \"inof\" is not known (expected one of error, warning, notice, info, debug; did you mean \"info\"?)"
            ),
            (
                "kafka: {topic: my topic}",
                "c.yaml:1:16: error[bad_value]: kafka.topic: \"my topic\" is no topic (expected up to 249 of a-z A-Z 0-9 . _ -)"
            ),
            (
                "kafka: {dead_letter_topic: events}",
                "c.yaml:1:28: error[conflict]: kafka.dead_letter_topic: \"events\" is kafka.topic already: each needs its own topic"
            ),
            (
                "accept_history: [Big]",
                "c.yaml:1:18: error[bad_value]: accept_history[0]: \"Big\" is no id (expected 1 to 64 of a-z 0-9 _ -, the first a letter or digit)"
            ),
            (
                "http: {listen: 8080}",
                "c.yaml:1:16: error[bad_type]: http.listen: expected an address such as 127.0.0.1:8080, not the number 8080: quote it"
            ),
            (
                "http: {listen: \"127.0.0.1\"}",
                "c.yaml:1:16: error[bad_value]: http.listen: \"127.0.0.1\" is no address and port (expected such as 127.0.0.1:8080 or [::1]:8080)"
            ),
            (
                "http: {listen: \"127.0.0.1:+80\"}",
                "c.yaml:1:16: error[bad_value]: http.listen: \"127.0.0.1:+80\" is no address and port (expected such as 127.0.0.1:8080 or [::1]:8080)"
            ),
            ("[]", "c.yaml:1:1: error[bad_type]: expected a map of keys, not a list"),
        ]
    )
    func refused(text: String, expected: String) {
        #expect(problems(text) == [expected])
    }

    @Test(
        "zones that the zone database does not have",
        arguments: ["Europe/Berlni", "../etc/passwd", "/UTC", "a b"]
    )
    func zones(name: String) {
        let (_, found) = read(
            "timezone: \"\(name)\"",
            zones: ["Europe/Berlin", "../etc/passwd", "/UTC", "a b"]
        )
        #expect(
            found == [
                "c.yaml:1:11: error[bad_value]: timezone: \"\(name)\" is no known zone (expected one such as Europe/Berlin)"
            ]
        )
    }

    @Test("all problems at once, in the order of the file")
    func allAtOnce() {
        #expect(
            problems("topic: x\ntick: 5\nkafka:\n  topc: y\n  start: now\nlog: {level: 3}\n").map {
                $0.prefix { $0 != " " }
            } == ["c.yaml:1:1:", "c.yaml:2:7:", "c.yaml:4:3:", "c.yaml:5:10:", "c.yaml:6:14:"]
        )
    }

    @Test("what is no YAML is told with its place, and then nothing else")
    func noYAML() {
        let found = problems("tick: 60s\nkafka: [\n", set: ["nonsense=1"])
        #expect(found.count == 1)
        #expect(found[0].hasPrefix("c.yaml:"))
        #expect(found[0].contains("error[yaml_syntax]"))
    }

    @Test("duplicate keys are problems of YAML and hide no others")
    func duplicates() {
        let found = problems("tick: 60s\ntick: 61s\nlgo: {}\n")
        #expect(found.count == 2)
        #expect(found[0].hasPrefix("c.yaml:2:1: error[duplicate_key]:"))
        #expect(found[1].hasPrefix("c.yaml:3:1: error[unknown_key]:"))
    }

    @Test("one file is one configuration")
    func severalDocuments() {
        #expect(
            problems("tick: 60s\n---\ntick: 10s\n") == [
                "c.yaml:3:1: error[several_documents]: a second document: the configuration is one, without ---"
            ]
        )
    }
}

@Suite("Unknown keys")
struct UnknownKeyTests {
    @Test("name the nearest of the same map")
    func near() {
        #expect(
            problems("kafka:\n  topc: x\n")
                == [
                    "c.yaml:2:3: error[unknown_key]: unknown key \"topc\" in kafka (did you mean \"topic\"?)"
                ]
        )
        #expect(
            problems("datadir: x\n")
                == [
                    "c.yaml:1:1: error[unknown_key]: unknown key \"datadir\" (did you mean \"data_dir\"?)"
                ]
        )
    }

    @Test("name the map they belong to")
    func elsewhere() {
        #expect(
            problems("users_max: 5\n") == [
                "c.yaml:1:1: error[unknown_key]: unknown key \"users_max\" (did you mean \"limits.users_max\"?)"
            ]
        )
    }

    @Test("else list the keys there are")
    func list() {
        #expect(
            problems("log: {zzzzzz: 1}\n") == [
                "c.yaml:1:7: error[unknown_key]: unknown key \"zzzzzz\" in log (known keys: level, format)"
            ]
        )
    }
}

@Suite("Features of later versions")
struct LaterFeatureTests {
    @Test(
        "their keys take only the default",
        arguments: [
            ("kafka: {tombstone: delete_user}", "kafka.tombstone", "ignore"),
            ("kafka: {repartition: true}", "kafka.repartition", "false"),
            ("archive: {retention: 1d}", "archive.retention", "400d"),
            ("archive: {bytes_max: 1GiB}", "archive.bytes_max", "0"),
            ("history: {retention: 1d}", "history.retention", "14d"),
            ("history: {bytes_max: 0}", "history.bytes_max", "1GiB"),
            ("delta_log: {retention: 2d}", "delta_log.retention", "24h"),
            ("delta_log: {bytes_max: 2GiB}", "delta_log.bytes_max", "1GiB"),
        ]
    )
    func notYet(text: String, key: String, fallback: String) {
        let found = problems(text)
        #expect(found.count == 1)
        #expect(
            found.first?.hasSuffix(
                ": error[not_yet]: \(key): not yet: this version takes only the default, \(fallback)"
            ) == true,
            "\(found)"
        )
    }

    @Test("their words are still checked")
    func checked() {
        #expect(problems("identify: later").first?.contains("error[bad_value]") == true)
        #expect(problems("history: {retention: 1}").first?.contains("error[bad_type]") == true)
    }

    @Test("the same default in other words is the default")
    func sameValue() {
        #expect(
            problems("archive: {retention: 9600h}\ndelta_log: {retention: 1d, bytes_max: 1024MiB}")
                .isEmpty
        )
    }
}

@Suite("Properties of librdkafka")
struct PropertyTests {
    @Test(
        "those that promises rest on are refused",
        arguments: KafkaConfiguration.refusedProperties.map(\.key)
    )
    func refused(name: String) {
        let found = problems("kafka:\n  properties:\n    \(name): x\n")
        #expect(found.count == 1)
        #expect(found[0].hasPrefix("c.yaml:3:5: error[refused]: kafka.properties.\(name): "))
    }

    @Test("the refused ones are those of the specification")
    func list() {
        #expect(
            KafkaConfiguration.refusedProperties.map(\.key) == [
                "enable.auto.commit", "enable.auto.offset.store", "auto.offset.reset",
                "enable.partition.eof", "isolation.level", "check.crcs", "group.id",
                "partition.assignment.strategy", "acks", "enable.idempotence",
                "plugin.library.paths",
                "ssl.engine.location",
            ]
        )
    }

    @Test("a refused one is refused on the command line too")
    func override() {
        #expect(
            problems("", set: ["kafka.properties.acks=0"]) == [
                "--set kafka.properties.acks: error[refused]: kafka.properties.acks: acks is the daemon's: what is produced must not be lost"
            ]
        )
    }

    @Test(
        "only scalars are values",
        arguments: [
            (
                "{bootstrap: {servers: x}}",
                "not a map: write names whole, such as bootstrap.servers"
            ),
            ("{client.id: [x]}", "not a list"), ("{client.id: }", "not nothing"),
            ("{sasl.password: \"env:\"}", "refers to nothing"),
            ("{sasl.password: \"file:relative\"}", "refers to nothing"),
        ]
    )
    func scalars(text: String, expected: String) {
        let found = problems("kafka: {properties: \(text)}")
        #expect(found.count == 1)
        #expect(found.first?.contains(expected) == true, "\(found)")
    }

    @Test("references are told from plain texts, and plain texts are never shown")
    func references() throws {
        let (configuration, _) = read(
            "kafka: {properties: {a: plain, b: \"credential:n\", c: \"file:/p\", d: \"env:V\"}}"
        )
        let properties = configuration.kafka.properties
        #expect(properties["a"] == .plain("plain"))
        #expect(properties["b"] == .credential("n"))
        #expect(properties["c"] == .file("/p"))
        #expect(properties["d"] == .environment("V"))
        #expect("\(try #require(properties["a"]))" == "(not shown)")
        #expect(properties["a"]?.written == "plain")
        #expect(properties["b"]?.written == "credential:n")
        #expect(properties["a"]?.isReference == false)
        #expect(properties["d"]?.isReference == true)
    }
}
