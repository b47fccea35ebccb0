import Configuration
import Foundation
import Testing

@Suite("Files of the repository")
struct RepositoryTests {
    @Test("config/cohortd.yaml names every key and is exactly the defaults")
    func example() throws {
        let file = try file("config/cohortd.yaml")
        let reading = DaemonConfiguration.read(file)
        #expect(reading.problems.map(\.description) == [])
        #expect(reading.value.configuration == DaemonConfiguration())
        for key in ConfigurationKey.daemon {
            let place = reading.value.places.place(of: key.path)
            #expect(
                place != reading.value.places.place(of: "nothing"),
                "\(key.path) is not in the example"
            )
        }
    }

    @Test("the destinations and syncs of config/ are right and refer to what is there")
    func objects() throws {
        let destinations = DestinationConfiguration.read(
            try files(in: "config/destinations"),
            rules: DestinationRules()
        )
        let syncs = SyncConfiguration.read(
            try files(in: "config/syncs"),
            cohorts: try cohortIDs(in: "config/cohorts"),
            destinations: destinations.ids
        )
        #expect(destinations.problems.map(\.description) == [])
        #expect(syncs.problems.map(\.description) == [])
        #expect(!syncs.value.isEmpty)
    }

    @Test("the examples are right")
    func examples() throws {
        let destinations = DestinationConfiguration.read(
            try files(in: "config/examples/webhook/destinations"),
            rules: DestinationRules()
        )
        let syncs = SyncConfiguration.read(
            try files(in: "config/examples/webhook/syncs"),
            cohorts: try cohortIDs(in: "config/examples"),
            destinations: destinations.ids
        )
        #expect(destinations.problems.map(\.description) == [])
        #expect(syncs.problems.map(\.description) == [])
    }

    @Test("docs/configuration.md holds the table of every kind of file, as the program has it")
    func documentation() throws {
        let page = String(decoding: try file("docs/configuration.md").bytes, as: UTF8.self)
        for keys in [
            ConfigurationKey.daemon, ConfigurationKey.destination, ConfigurationKey.webhook,
            ConfigurationKey.file, ConfigurationKey.sync,
        ] {
            let table = ConfigurationReference.markdown(keys)
            #expect(page.contains(table), "docs/configuration.md should hold:\n\(table)")
        }
        for code in ConfigurationProblem.Code.allCases {
            #expect(page.contains("`\(code.rawValue)`"))
        }
        for (name, _) in KafkaConfiguration.refusedProperties {
            #expect(page.contains("`\(name)`"))
        }
    }

    /// Ids of the documents; what else they hold is for the language's own tests.
    private func cohortIDs(in folder: String) throws -> [String] {
        try files(in: folder).flatMap { file in
            String(decoding: file.bytes, as: UTF8.self).split(separator: "\n")
                .filter { $0.hasPrefix("id: ") }.map { String($0.dropFirst(4)) }
        }
    }
}

@Suite("Folders")
struct FolderTests {
    @Test("a folder stands for its yaml, yml and json files, by bytes of the name")
    func names() {
        #expect(
            ConfigurationFolder.definitionFiles(among: [
                "b.yaml", "a.yml", "Z.json", "é.yaml", ".hidden.yaml", "x.yaml~", "x.YAML", "yaml",
                ".yaml",
                "README.md", "a.yaml.bak", "10.yaml", "9.yaml",
            ]) == ["10.yaml", "9.yaml", "Z.json", "a.yml", "b.yaml", "é.yaml"]
        )
    }

    @Test("folders of include are relative to the configuration file")
    func relative() {
        #expect(
            ConfigurationFolder.path(of: "cohorts", besideFile: "/etc/cohortd/cohortd.yaml")
                == "/etc/cohortd/cohorts"
        )
        #expect(
            ConfigurationFolder.path(of: "../c", besideFile: "config/cohortd.yaml") == "config/../c"
        )
        #expect(ConfigurationFolder.path(of: "cohorts", besideFile: "cohortd.yaml") == "cohorts")
        #expect(ConfigurationFolder.path(of: "/srv/c", besideFile: "/etc/x.yaml") == "/srv/c")
    }
}
