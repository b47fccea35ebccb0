import Basics
import Configuration
import Testing

@Suite("--set")
struct OverrideTests {
    @Test("goes over the file; the last of one path wins")
    func precedence() {
        let (configuration, problems) = read(
            "tick: 60s\nkafka: {topic: a, group: g}\n",
            set: ["tick=10s", "kafka.topic=b", "tick=20s", "limits.users_max=3"]
        )
        #expect(problems.isEmpty)
        #expect(configuration.tickMilliseconds == 20_000)
        #expect(configuration.kafka.topic == "b")
        #expect(configuration.kafka.group == "g")
        #expect(configuration.limits.usersMax == 3)
    }

    @Test("everything after kafka.properties. is one name")
    func properties() {
        let (configuration, problems) = read(
            "kafka: {properties: {bootstrap.servers: a}}",
            set: [
                "kafka.properties.bootstrap.servers=b=c",
                "kafka.properties.session.timeout.ms=6000",
            ]
        )
        #expect(problems.isEmpty)
        #expect(
            configuration.kafka.properties
                == ["bootstrap.servers": .plain("b=c"), "session.timeout.ms": .plain("6000")]
        )
    }

    @Test("lists are JSON; an element has the place of its argument")
    func lists() {
        let (configuration, found) = read(
            "inactive_events: [a]",
            set: [#"inactive_events=["x","y"]"#, "accept_history=[]"]
        )
        #expect(found.isEmpty)
        #expect(configuration.inactiveEvents == ["x", "y"])
        #expect(
            problems("", set: ["accept_history=[\"ok\",\"NO\"]"]) == [
                "--set accept_history: error[bad_value]: accept_history[1]: \"NO\" is no id (expected 1 to 64 of a-z 0-9 _ -, the first a letter or digit)"
            ]
        )
        #expect(
            problems("", set: ["inactive_events=x"]) == [
                "--set inactive_events: error[bad_type]: inactive_events: expected a list as JSON, such as [\"a\"], not \"x\""
            ]
        )
    }

    @Test("texts need no quotes, whatever they look like")
    func texts() {
        let (configuration, problems) = read(
            "",
            set: [
                "data_dir=5", "kafka.group=true", "kafka.topic=1.50", "http.listen=[::1]:80",
                "kafka.properties.client.id=007",
            ]
        )
        #expect(problems.isEmpty)
        #expect(configuration.dataDirectory == "5")
        #expect(configuration.kafka.group == "true")
        #expect(configuration.kafka.topic == "1.50")
        #expect(configuration.http.listen.host.description == "::1")
        #expect(configuration.kafka.properties["client.id"] == .plain("007"))
    }

    @Test("problems name the argument and come after those of the file")
    func places() {
        #expect(
            problems(
                "lgo: 1\n",
                set: ["kafka.topc=x", "tick=5", "kafkaa.topic=x", "tick.x=1"]
            )
                == [
                    "c.yaml:1:1: error[unknown_key]: unknown key \"lgo\" (did you mean \"log\"?)",
                    "--set kafka.topc: error[unknown_key]: unknown key \"topc\" in kafka (did you mean \"topic\"?)",
                    "--set tick: error[bad_type]: tick: 5 has no unit: write 5s, or ms, m, h, d, w",
                    "--set kafkaa.topic: error[unknown_key]: unknown key \"kafkaa\" (did you mean \"kafka\"?)",
                    "--set tick.x: error[bad_type]: \"tick\" is no map: it holds the number 5",
                ]
        )
        #expect(
            problems("", set: ["kafka=x"])
                == ["--set kafka: error[bad_type]: kafka: expected a map of keys, not \"x\""]
        )
        #expect(
            problems("kafka: x", set: ["kafka.topic=y"]) == [
                "c.yaml:1:8: error[bad_type]: kafka: expected a map of keys, not \"x\"",
                "--set kafka.topic: error[bad_type]: \"kafka\" is no map: it holds \"x\"",
            ]
        )
    }

    @Test("a wrong value of the file is not looked at when another goes over it")
    func hides() {
        #expect(problems("tick: 7s\n", set: ["tick=10s"]).isEmpty)
    }

    @Test(
        "an argument that is no PATH=VALUE is a usage error",
        arguments: ["tick", "=x", "kafka.=x", ".tick=x", "kafka..topic=x", "kafka.properties.=x"]
    )
    func malformed(argument: String) {
        #expect(throws: OverrideError.self) { try Override(argument: argument) }
    }

    @Test("without a file overrides go over the defaults")
    func noFile() throws {
        let reading = DaemonConfiguration.read(nil, overrides: [try Override(argument: "tick=1s")])
        #expect(reading.problems.isEmpty)
        #expect(reading.value.configuration.tickMilliseconds == 1000)
    }
}
