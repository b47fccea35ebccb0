import Configuration
import Testing

private func destinations(
    _ texts: String...,
    templates: ConfigurationReading<[TemplateOutline]> = noTemplates,
    rules: DestinationRules = DestinationRules()
) -> ConfigurationReading<[DestinationConfiguration]> {
    let files = texts.enumerated().map { index, text in
        ConfigurationFile(name: "d\(index).yaml", bytes: Array(text.utf8))
    }
    return DestinationConfiguration.read(files, templates: templates, rules: rules)
}

/// A partner with one setting, and one whose file has problems.
private let partners = ConfigurationReading(
    value: [
        TemplateOutline(name: "shop", cadences: [.realtime, .daily]) { section, urlComplaint in
            guard let node = section.node("key"), let text = node.textValue else {
                section.report(.missingKey, at: section.mark, "settings.key is missing")
                return [:]
            }
            if let complaint = urlComplaint(text) { section.report(.badValue, node, complaint) }
            return ["key": .plain(text)]
        }
    ],
    problems: [],
    ids: ["broken", "shop"]
)

private func syncs(_ texts: String...) -> ConfigurationReading<[SyncConfiguration]> {
    let files = texts.enumerated().map { index, text in
        ConfigurationFile(name: "s\(index).yaml", bytes: Array(text.utf8))
    }
    return SyncConfiguration.read(
        files,
        cohorts: ["cart-abandoners", "big-spenders"],
        destinations: destinations(
            webhook,
            "id: deltas\ntemplate: file\nsettings: {path: x}",
            "id: topic\ntemplate: kafka-topic\nsettings: {topic: t}",
            "id: table\ntemplate: kafka-table\nsettings: {topic: t}",
            "id: csv\ntemplate: file-csv\nsettings: {dir: x}",
            s3,
            "id: shop\ntemplate: shop\nsettings: {key: k}",
            "id: wrong\ntemplate: file-csv\nsettings: {}",
            templates: partners
        )
    )
}

private let s3 = """
    id: bucket
    template: s3-csv
    settings: {endpoint: "https://s3.example.com", region: eu-central-1, bucket: my.bucket-1, prefix: out/, \
    access_key: "env:ID", secret_key: "file:/s"}
    """

private let webhook = """
    id: crm
    template: webhook
    settings: {url: "https://crm.example.com/hook", secret: "credential:crm"}
    """

@Suite("Destinations")
struct DestinationTests {
    @Test("the specified webhook")
    func specified() throws {
        let reading = destinations(webhook)
        #expect(reading.problems.isEmpty)
        let destination = try #require(reading.value.first)
        #expect(destination.id == "crm")
        #expect(destination.allowPrivate.isEmpty)
        guard case .webhook(let settings) = destination.template else {
            Issue.record("\(destination.template)")
            return
        }
        #expect(settings.url == .plain("https://crm.example.com/hook"))
        #expect(settings.secret == .credential("crm"))
        #expect(settings.timeoutMilliseconds == 30_000)
    }

    @Test("several documents and files, a timeout, ranges, a file")
    func several() {
        let reading = destinations(
            """
            id: a
            template: webhook
            settings: {url: "env:URL", secret: "file:/s", timeout: 2s}
            allow_private: [10.0.0.0/8, "fd00::/8"]
            ---
            id: b
            template: file
            settings: {path: out.jsonl}
            """,
            "",
            "---\n---\n",
            "{\"id\": \"c\", \"template\": \"file\", \"settings\": {\"path\": \"/x\"}}"
        )
        #expect(reading.problems.isEmpty)
        #expect(reading.value.map(\.id) == ["a", "b", "c"])
        #expect(reading.ids == ["a", "b", "c"])
        #expect(reading.value[0].allowPrivate == ["10.0.0.0/8", "fd00::/8"])
        guard case .webhook(let settings) = reading.value[0].template else { return }
        #expect(settings.timeoutMilliseconds == 2000)
        #expect(settings.url == .environment("URL"))
        #expect(
            reading.value[0].places.problem(.badValue, at: "settings.url", "no").description
                == "d0.yaml:3:17: error[bad_value]: settings.url: no"
        )
    }

    @Test(
        "each problem with its place",
        arguments: [
            (
                "{}",
                [
                    "d0.yaml:1:1: error[missing_key]: id is missing (expected id)",
                    "d0.yaml:1:1: error[missing_key]: template is missing (expected name of a template)",
                ]
            ),
            (
                "id: A\ntemplate: file\nsettings: {path: x}",
                [
                    "d0.yaml:1:5: error[bad_value]: id: \"A\" is no id (expected 1 to 64 of a-z 0-9 _ -, the first a letter or digit)"
                ]
            ),
            (
                "id: 5\ntemplate: file\nsettings: {path: x}",
                ["d0.yaml:1:5: error[bad_type]: id: expected an id, not the number 5: quote it"]
            ),
            (
                "id: a\ntemplate: webhok",
                [
                    "d0.yaml:2:11: error[bad_value]: template: \"webhok\" is no template (did you mean \"webhook\"?)"
                ]
            ),
            (
                "id: a\ntemplate: s3-csv\nsettings: {region: r, bucket: Bucket, access_key: AKIA, secret_key: \"env:\"}",
                [
                    "d0.yaml:3:11: error[missing_key]: settings.endpoint is missing (expected https URL)",
                    "d0.yaml:3:31: error[bad_value]: settings.bucket: \"Bucket\" is no bucket (expected 3 to 63 of a-z 0-9 - ., the first and last a letter or digit)",
                    "d0.yaml:3:51: error[plain_secret]: settings.access_key: a secret does not stand in a file (expected credential:NAME, file:/PATH or env:NAME)",
                    "d0.yaml:3:69: error[bad_value]: settings.secret_key: a secret is given by reference (expected credential:NAME, file:/PATH or env:NAME)",
                ]
            ),
            (
                "id: a\ntemplate: kafka-topic\nsettings: {topic: a b, properties: {acks: 0, linger.ms: [5]}}",
                [
                    "d0.yaml:3:19: error[bad_value]: settings.topic: \"a b\" is no topic (expected up to 249 of a-z A-Z 0-9 . _ -)",
                    "d0.yaml:3:37: error[refused]: settings.properties.acks: acks is the daemon's: what is produced must not be lost",
                    "d0.yaml:3:57: error[bad_type]: settings.properties.linger.ms: expected a value, not a list",
                ]
            ),
            (
                "id: a\ntemplate: file-csv\nsettings: {path: x}",
                [
                    "d0.yaml:3:11: error[missing_key]: settings.dir is missing (expected path)",
                    "d0.yaml:3:12: error[unknown_key]: unknown key \"path\" in settings (known keys: dir)",
                ]
            ),
            (
                "id: a\ntemplate: braze-cohorts",
                [
                    "d0.yaml:2:11: error[bad_value]: template: \"braze-cohorts\" is no template (expected one of webhook, file, kafka-topic, kafka-table, file-csv, s3-csv, or add it to include.templates)"
                ]
            ),
            (
                "id: a\ntemplate: file",
                ["d0.yaml:1:1: error[missing_key]: settings.path is missing (expected path)"]
            ),
            (
                "id: a\ntemplate: file\nsettings: {paht: x, path: y}",
                [
                    "d0.yaml:3:12: error[unknown_key]: unknown key \"paht\" in settings (did you mean \"path\"?)"
                ]
            ),
            (
                "id: a\ntemplate: file\nsettings: {path: x}\nallow_privat: []",
                [
                    "d0.yaml:4:1: error[unknown_key]: unknown key \"allow_privat\" (did you mean \"allow_private\"?)"
                ]
            ),
            (
                "id: a\ntemplate: webhook\nsettings: {url: \"https://x.example\", secret: whsec_c2VjcmV0}",
                [
                    "d0.yaml:3:46: error[plain_secret]: settings.secret: a secret does not stand in a file (expected credential:NAME, file:/PATH or env:NAME)"
                ]
            ),
            (
                "id: a\ntemplate: webhook\nsettings: {url: \"https://x.example\", secret: \"env:S\", timeout: 121s}",
                ["d0.yaml:3:64: error[out_of_range]: settings.timeout: 121s is not in 1s … 2m"]
            ),
            (
                "id: a\ntemplate: webhook\nsettings: {url: \"https://x.example\"}",
                [
                    "d0.yaml:3:11: error[missing_key]: settings.secret is missing (expected reference)"
                ]
            ),
        ]
    )
    func refused(text: String, expected: [String]) {
        let reading = destinations(text)
        #expect(reading.problems.map(\.description) == expected)
    }

    @Test("a plain secret is never shown")
    func secretNotShown() {
        let reading = destinations(
            "id: a\ntemplate: webhook\nsettings: {url: \"https://x.example\", secret: topsecret}"
        )
        #expect(!reading.problems.isEmpty)
        #expect(reading.problems.allSatisfy { !$0.description.contains("topsecret") })
    }

    @Test("an id is defined once, and the second place names the first")
    func duplicate() {
        let reading = destinations(webhook, webhook)
        #expect(reading.value.count == 1)
        #expect(
            reading.problems.map(\.description)
                == [
                    "d1.yaml:1:5: error[duplicate_id]: id: destination \"crm\" is defined at d0.yaml:1 already"
                ]
        )
    }

    @Test("what only the shell can check comes with a place, and references are left to it")
    func rules() {
        let rules = DestinationRules(
            rangeComplaint: { $0 == "bad" ? "write 10.0.0.0/8" : nil },
            urlComplaint: { url, ranges in "\(url) with \(ranges)" }
        )
        let text = """
            id: a
            template: webhook
            settings: {url: "http://x", secret: "env:S"}
            allow_private: [bad, 10.0.0.0/8]
            ---
            id: b
            template: webhook
            settings: {url: "env:URL", secret: "env:S"}
            """
        #expect(
            destinations(text, rules: rules).problems.map(\.description) == [
                "d0.yaml:3:17: error[bad_value]: settings.url: http://x with [\"10.0.0.0/8\"]",
                "d0.yaml:4:17: error[bad_value]: allow_private[0]: \"bad\": write 10.0.0.0/8",
            ]
        )
    }

    @Test("Kafka, files and buckets with their settings")
    func transports() {
        let reading = destinations(
            "id: a\ntemplate: kafka-topic\nsettings: {topic: t, properties: {linger.ms: 5, sasl.password: 'env:P'}}",
            "id: b\ntemplate: kafka-table\nsettings: {topic: u}",
            "id: c\ntemplate: file-csv\nsettings: {dir: out}",
            s3
        )
        #expect(reading.problems.isEmpty)
        let kafka = DestinationConfiguration.Kafka(
            topic: "t",
            properties: ["linger.ms": .plain("5"), "sasl.password": .environment("P")]
        )
        #expect(
            reading.value.map(\.template) == [
                .kafkaTopic(kafka), .kafkaTable(.init(topic: "u")),
                .fileCSV(.init(directory: "out")),
                .objectStoreCSV(
                    .init(
                        endpoint: .plain("https://s3.example.com"),
                        region: "eu-central-1",
                        bucket: "my.bucket-1",
                        prefix: "out/",
                        accessKey: .environment("ID"),
                        secretKey: .file("/s")
                    )
                ),
            ]
        )
    }

    @Test("a partner's settings are read by its template, and its other keys refused")
    func partner() {
        let rules = DestinationRules(urlComplaint: { url, ranges in
            url == "bad" ? "\(url) with \(ranges)" : nil
        })
        let good = destinations(
            "id: a\ntemplate: shop\nsettings: {key: k}",
            templates: partners,
            rules: rules
        )
        #expect(good.problems.isEmpty)
        #expect(
            good.value.map(\.template) == [
                .partner(
                    .init(
                        template: "shop",
                        cadences: [.realtime, .daily],
                        settings: ["key": .plain("k")]
                    )
                )
            ]
        )
        let bad = destinations(
            "id: a\ntemplate: shop\nsettings: {key: bad, secret: x}",
            "id: b\ntemplate: shop\nsettings: {keys: k}",
            "id: c\ntemplate: shpo",
            templates: partners,
            rules: rules
        )
        #expect(bad.value.isEmpty)
        #expect(
            bad.problems.map(\.description) == [
                "d0.yaml:3:17: error[bad_value]: bad with []",
                "d0.yaml:3:22: error[unknown_key]: unknown key \"secret\" in settings (known keys: key)",
                "d1.yaml:3:11: error[missing_key]: settings.key is missing",
                "d1.yaml:3:12: error[unknown_key]: unknown key \"keys\" in settings (did you mean \"key\"?)",
                "d2.yaml:2:11: error[bad_value]: template: \"shpo\" is no template (did you mean \"shop\"?)",
            ]
        )
    }

    @Test("the settings of a template with problems are left to the template's problems")
    func brokenTemplate() {
        let reading = destinations(
            "id: a\ntemplate: broken\nsettings: {x: 1}",
            templates: partners
        )
        #expect(reading.problems.isEmpty)
        #expect(reading.value.isEmpty)
        #expect(reading.ids == ["a"])
    }

    @Test("a destination with problems is known by its id")
    func knownWithProblems() {
        let reading = destinations("id: crm\ntemplate: file\nsettings: {}")
        #expect(reading.value.isEmpty)
        #expect(reading.ids == ["crm"])
    }
}

@Suite("Syncs")
struct SyncTests {
    @Test("the specified sync is a cohort, a destination and defaults")
    func specified() throws {
        let reading = syncs(
            """
            id: abandoners-crm
            item: {cohort: cart-abandoners}
            destination: crm
            cadence: realtime               # realtime | hourly | daily | on_demand
            at: "02:30"                     # daily only, in `timezone`
            identity: [user_id]             # properties in order of preference; the first that is not empty wins
            properties: []
            guard: {share: 0.3, users: 1000}
            on_delete: remove_all           # remove_all | leave
            coalesce: latest                # latest | none (every transition; webhook, kafka-topic, file)
            reassert: 24h                   # 0s = never
            success: 0.95                   # below it a run is partially_succeeded
            paused: false
            """,
            "id: short\nitem: {cohort: cart-abandoners}\ndestination: crm\n"
        )
        #expect(reading.problems.isEmpty)
        #expect(reading.value.map(\.id) == ["abandoners-crm", "short"])
        var long = try #require(reading.value.first)
        let short = reading.value[1]
        #expect(long.cohort == "cart-abandoners")
        #expect(long.destination == "crm")
        #expect(!long.isPaused)
        long.id = short.id
        long.places = short.places
        #expect(long == short)
    }

    @Test("a sync may be paused")
    func paused() {
        let reading = syncs(
            "id: a\nitem: {cohort: big-spenders}\ndestination: deltas\npaused: true"
        )
        #expect(reading.problems.isEmpty)
        #expect(reading.value.first?.isPaused == true)
    }

    private static let head = "id: a\nitem: {cohort: big-spenders}\ndestination: crm\n"

    @Test("every key of a sync has its value")
    func effective() throws {
        let reading = syncs(
            """
            id: a
            item: {cohort: big-spenders}
            destination: csv
            cadence: daily
            at: "23:05"
            identity: [email, user_id]
            properties: [country, address.city]
            guard: {share: 1, users: 5}
            reassert: 0s
            success: 0.8
            """
        )
        #expect(reading.problems.isEmpty)
        let sync = try #require(reading.value.first)
        #expect(sync.cadence == .daily)
        #expect(sync.minuteOfDay == 23 * 60 + 5)
        #expect(sync.identity == ["email", "user_id"])
        #expect(sync.properties == ["country", "address.city"])
        #expect(sync.blastGuard.share == 1)
        #expect(sync.blastGuard.users == 5)
        #expect(sync.reassertMilliseconds == 0)
        #expect(sync.success == 0.8)
    }

    private static func text(_ destination: String, _ rest: String) -> String {
        "id: a\nitem: {cohort: big-spenders}\ndestination: \(destination)\n\(rest)"
    }

    @Test(
        "what a destination does not take is refused with what it does",
        arguments: [
            (
                text("csv", ""),
                "s0.yaml:1:1: error[conflict]: cadence: destination \"csv\" (file-csv) does not take realtime (choose one of hourly, daily, on_demand)"
            ),
            (
                text("bucket", "cadence: realtime"),
                "s0.yaml:4:10: error[conflict]: cadence: destination \"bucket\" (s3-csv) does not take realtime (choose one of hourly, daily, on_demand)"
            ),
            (
                text("shop", "cadence: hourly"),
                "s0.yaml:4:10: error[conflict]: cadence: destination \"shop\" (shop) does not take hourly (choose one of realtime, daily)"
            ),
            (
                text("topic", "properties: [email]"),
                "s0.yaml:4:13: error[conflict]: properties: destination \"topic\" (kafka-topic) sends no properties along (remove the key; webhook, file-csv and s3-csv do)"
            ),
            (
                text("shop", "properties: [email]"),
                "s0.yaml:4:13: error[conflict]: properties: destination \"shop\" (shop) sends no properties along (remove the key; webhook, file-csv and s3-csv do)"
            ),
            (
                text("crm", "identity: []"),
                "s0.yaml:4:11: error[bad_value]: identity: nobody has a name without a property (expected such as [user_id])"
            ),
            (
                text("crm", "identity: [\"a\\tb\"]"),
                "s0.yaml:4:12: error[bad_value]: identity[0]: a control character is no part of a property's name"
            ),
        ]
    )
    func notTaken(text: String, expected: String) {
        #expect(syncs(text).problems.map(\.description) == [expected])
    }

    @Test(
        "every cadence goes to what takes changes as they come",
        arguments: ["crm", "deltas", "topic", "table"],
        SyncConfiguration.Cadence.allCases
    )
    func cadences(destination: String, cadence: SyncConfiguration.Cadence) {
        let reading = syncs(Self.text(destination, "cadence: \(cadence.rawValue)"))
        #expect(reading.problems.isEmpty)
        #expect(reading.value.first?.cadence == cadence)
    }

    @Test("a sync to a destination with problems is not refused for them")
    func destinationWithProblems() {
        #expect(syncs(Self.text("wrong", "properties: [a]")).problems.isEmpty)
    }

    @Test("a feature of a later version takes only the default")
    func notYet() {
        let found = syncs(Self.head + "coalesce: none").problems.map(\.description)
        #expect(found.count == 1)
        #expect(found.first?.hasPrefix("s0.yaml:4:") == true)
        #expect(found.first?.contains("error[not_yet]: coalesce: not yet: ") == true, "\(found)")
    }

    @Test("what becomes of a deleted sync's users is read")
    func onDelete() {
        #expect(syncs(Self.head + "on_delete: leave").value.first?.onDelete == .leave)
        #expect(syncs(Self.head + "on_delete: remove_all").value.first?.onDelete == .removeAll)
    }

    @Test(
        "each problem with its place",
        arguments: [
            (
                "id: a\nitem: {cohort: cart-abandonners}\ndestination: crm",
                [
                    "s0.yaml:2:16: error[unknown_id]: item.cohort: there is no cohort \"cart-abandonners\" (did you mean \"cart-abandoners\"?)"
                ]
            ),
            (
                "id: a\nitem: {cohort: big-spenders}\ndestination: zzz",
                ["s0.yaml:3:14: error[unknown_id]: destination: there is no destination \"zzz\""]
            ),
            (
                "id: a\nitem: {prediction: p}\ndestination: crm",
                ["s0.yaml:2:8: error[not_yet]: item.prediction: not yet: expected {cohort: ID}"]
            ),
            (
                "id: a\nitem: {chort: big-spenders}\ndestination: crm",
                [
                    "s0.yaml:2:7: error[missing_key]: item.cohort is missing (expected cohort id)",
                    "s0.yaml:2:8: error[unknown_key]: unknown key \"chort\" in item (did you mean \"cohort\"?)",
                ]
            ),
            (
                "id: a\nitem: big-spenders\ndestination: crm",
                ["s0.yaml:2:7: error[bad_type]: item: expected a map of keys, not \"big-spenders\""]
            ),
            (
                "id: a\ndestination: crm",
                ["s0.yaml:1:1: error[missing_key]: item is missing (expected {cohort: ID})"]
            ),
            (
                head + "at: \"25:00\"",
                [
                    "s0.yaml:4:5: error[bad_value]: at: \"25:00\" is no time of day (expected such as \"02:30\")"
                ]
            ),
            (
                head + "guard: {share: 1.5}",
                ["s0.yaml:4:16: error[out_of_range]: guard.share: 1.5 is not in 0.0 … 1.0"]
            ),
            (
                head + "paused: yes",
                ["s0.yaml:4:9: error[bad_type]: paused: expected true or false, not \"yes\""]
            ),
            (
                head + "cadense: realtime",
                [
                    "s0.yaml:4:1: error[unknown_key]: unknown key \"cadense\" (did you mean \"cadence\"?)"
                ]
            ),
            (
                head + "---\n" + head,
                ["s0.yaml:5:5: error[duplicate_id]: id: sync \"a\" is defined at s0.yaml:1 already"]
            ),
        ]
    )
    func refused(text: String, expected: [String]) {
        #expect(syncs(text).problems.map(\.description) == expected)
    }
}

@Suite("Accepted history")
struct AcceptHistoryTests {
    @Test("ids that name no cohort are told with the nearest, in the file and on the command line")
    func unknown() {
        let reading = document("accept_history: [big-spenders, big-spender]")
        #expect(reading.problems.isEmpty)
        #expect(
            reading.value.acceptHistoryProblems(
                cohorts: ["big-spenders"],
                flags: ["zzz", "big-spenders"]
            )
            .map(\.description) == [
                "c.yaml:1:32: error[unknown_id]: accept_history[1]: there is no cohort \"big-spender\" (did you mean \"big-spenders\"?)",
                "--accept-history zzz: error[unknown_id]: there is no cohort \"zzz\"",
            ]
        )
    }
}
