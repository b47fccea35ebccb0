import Configuration
import Templates
import Testing

/// The problems of a destination with these settings of the template `t`.
private func destination(
    _ declarations: String,
    _ settings: String,
    urlComplaint: String? = nil
) -> ConfigurationReading<[DestinationConfiguration]> {
    var text = TestTemplate()
    text.settings = "settings: \(declarations)"
    let file = "id: d\ntemplate: t\nsettings: \(settings)"
    return DestinationConfiguration.read(
        [ConfigurationFile(name: "d.yaml", bytes: Array(file.utf8))],
        templates: reading(text.text).outlines,
        rules: DestinationRules(urlComplaint: { _, _ in urlComplaint })
    )
}

@Suite("Settings of destinations")
struct SettingTests {
    private static let declarations = """
        {key: {type: secret, required: true}, region: {type: enum, choices: [eu, us], default: eu}, \
        app: {type: int}, list: {type: string, pattern: '^[a-z]+$'}, url: {type: url}}
        """

    @Test("settings are taken as the template declares them, secrets and others by reference")
    func taken() {
        let reading = destination(
            Self.declarations,
            "{key: 'file:/k', region: us, app: 7, list: 'env:LIST', url: 'https://x.example'}"
        )
        #expect(reading.problems.map(\.description) == [])
        #expect(
            reading.value.first?.template
                == .partner(
                    .init(
                        template: "t",
                        cadences: SyncConfiguration.Cadence.allCases,
                        settings: [
                            "key": .file("/k"), "region": .plain("us"), "app": .plain("7"),
                            "list": .environment("LIST"), "url": .plain("https://x.example"),
                        ]
                    )
                )
        )
    }

    @Test(
        "each problem with its place and what to do",
        arguments: [
            (
                "{regoin: eu}",
                [
                    "d.yaml:3:11: error[missing_key]: settings.key is missing: template \"t\" needs it (expected credential:NAME, file:/PATH or env:NAME)",
                    "d.yaml:3:12: error[unknown_key]: unknown key \"regoin\" in settings (did you mean \"region\"?)",
                ]
            ),
            (
                "{key: hunter2}",
                [
                    "d.yaml:3:17: error[plain_secret]: settings.key: a secret does not stand in a file (expected credential:NAME, file:/PATH or env:NAME)"
                ]
            ),
            (
                "{key: 'env:K', region: asia, app: x, list: UP}",
                [
                    "d.yaml:3:34: error[bad_value]: settings.region: \"asia\" is none of eu, us",
                    "d.yaml:3:45: error[bad_value]: settings.app: \"x\" is no integer",
                    "d.yaml:3:54: error[bad_value]: settings.list: \"UP\" does not match the pattern ^[a-z]+$",
                ]
            ),
            (
                "{key: 'env:K', app: [1], list: '${cohort.nam}', region: 'env:'}",
                [
                    "d.yaml:3:31: error[bad_type]: settings.app: expected an integer, not a list",
                    "d.yaml:3:42: error[bad_value]: settings.list: there is no placeholder \"${cohort.nam}\" (did you mean \"${cohort.name}\"?)",
                    "d.yaml:3:67: error[bad_value]: settings.region: \"env:\" refers to nothing (expected credential:NAME, file:/PATH or env:NAME)",
                ]
            ),
        ]
    )
    func refused(settings: String, expected: [String]) {
        #expect(destination(Self.declarations, settings).problems.map(\.description) == expected)
    }

    @Test("a URL is checked by the rules of addresses, a reference to one is not")
    func urls() {
        let complaint = "it is not https"
        #expect(
            destination(
                "{url: {type: url}}",
                "{url: 'http://10.0.0.1'}",
                urlComplaint: complaint
            ).problems.map(\.description) == [
                "d.yaml:3:17: error[bad_value]: settings.url: it is not https"
            ]
        )
        #expect(
            destination("{url: {type: url}}", "{url: 'env:URL'}", urlComplaint: complaint)
                .problems.isEmpty
        )
    }

    @Test("a text may name the cohort")
    func cohort() {
        let reading = destination(
            "{list: {type: string, pattern: '^[a-z-]+$'}}",
            "{list: 'x-${cohort.name|slug}'}"
        )
        #expect(reading.problems.map(\.description) == [])
    }
}
