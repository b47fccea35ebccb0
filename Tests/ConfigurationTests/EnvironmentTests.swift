import Configuration
import Testing

@Suite("Variables of the environment")
struct EnvironmentTests {
    /// Reads `cohortd.yaml` with variables over it, and `--set` over both.
    private func configure(
        _ text: String,
        _ variables: [String: String],
        set arguments: [String] = []
    ) throws -> (DaemonConfiguration, [String]) {
        let overrides = try arguments.map { try Override(argument: $0) }
        let reading = DaemonConfiguration.read(
            ConfigurationFile(name: "c.yaml", bytes: Array(text.utf8)),
            overrides: EnvironmentVariables.read(variables).overrides + overrides
        )
        return (reading.value.configuration, reading.problems.map(\.description))
    }

    @Test("go over the file, and --set goes over them")
    func precedence() throws {
        let (configuration, problems) = try configure(
            "tick: 60s\nkafka: {topic: a, group: g}\nlimits: {users_max: 5}\n",
            [
                "COHORTD_TICK": "10s", "COHORTD_KAFKA_TOPIC": "b", "COHORTD_DATA_DIR": "/srv/x",
                "COHORTD_LIMITS_USERS_MAX": "7", "TICK": "1s", "cohortd_tick": "2s",
            ],
            set: ["kafka.topic=c"]
        )
        #expect(problems == [])
        #expect(configuration.tickMilliseconds == 10_000)
        #expect(configuration.kafka.topic == "c")
        #expect(configuration.kafka.group == "g")
        #expect(configuration.dataDirectory == "/srv/x")
        #expect(configuration.limits.usersMax == 7)
    }

    @Test("a value that cannot be taken is told with the variable's name")
    func problems() throws {
        let (_, problems) = try configure(
            "tick: 60s\n",
            [
                "COHORTD_TICK": "5", "COHORTD_LOG_LEVEL": "loud", "COHORTD_DATA_DIR": "",
                "COHORTD_TIMEZONE": #"["UTC"]"#,
            ]
        )
        #expect(problems.count == 4)
        for name in ["DATA_DIR", "LOG_LEVEL", "TICK", "TIMEZONE"] {
            #expect(problems.contains { $0.hasPrefix("COHORTD_\(name): error[") }, "\(problems)")
        }
        #expect(
            problems.contains(
                "COHORTD_TICK: error[bad_type]: tick: 5 has no unit: write 5s, or ms, m, h, d, w"
            )
        )
    }

    @Test("the same name for two keys does not occur, and every key with one value has a variable")
    func names() {
        for key in ConfigurationKey.daemon {
            let name =
                "COHORTD_" + key.path.uppercased().replacing(".", with: "_")
            let reading = EnvironmentVariables.read([name: "x"])
            if ["inactive_events", "accept_history", "http.keys", "kafka.properties"].contains(
                key.path
            ) {
                #expect(reading.overrides == [] && reading.warnings.count == 1, "\(key.path)")
            } else {
                #expect(reading.overrides.map(\.path) == [key.path])
                #expect(reading.warnings == [])
            }
        }
    }

    @Test(
        "one that names no key is a warning with what was meant",
        arguments: [
            ("COHORTD_KAFKA_TOPC", "no key has this name (did you mean COHORTD_KAFKA_TOPIC?)"),
            ("COHORTD_WHATEVER_ELSE", "no key has this name"),
            ("COHORTD_", "no key has this name"),
            (
                "COHORTD_INACTIVE_EVENTS",
                "inactive_events is a list, which is given in the file or by --set"
            ),
            (
                "COHORTD_KAFKA_PROPERTIES_BOOTSTRAP_SERVERS",
                "properties of librdkafka are given in the file, or by --set kafka.properties.NAME=VALUE"
            ),
        ]
    )
    func unknown(name: String, reason: String) {
        let reading = EnvironmentVariables.read([name: "secret", "PATH": "/bin"])
        #expect(reading.overrides == [])
        #expect(reading.warnings == ["the variable \(name) is ignored: \(reason)"])
    }

    @Test("those of other programs and of the tests are known")
    func others() {
        let reading = EnvironmentVariables.read([
            "COHORTD_ADDRESS": "x", "COHORTD_KEY": "x", "COHORTD_TEST_DATA": "x",
            "COHORTD_PERF": "x",
        ])
        #expect(reading.overrides == [] && reading.warnings == [])
    }
}
