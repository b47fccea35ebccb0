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
            templates: noTemplates,
            rules: DestinationRules()
        )
        let syncs = SyncConfiguration.read(
            try files(in: "config/syncs"),
            cohorts: try cohortIDs(in: "config/cohorts"),
            destinations: destinations
        )
        #expect(destinations.problems.map(\.description) == [])
        #expect(syncs.problems.map(\.description) == [])
        #expect(!syncs.value.isEmpty)
    }

    @Test("the examples are right")
    func examples() throws {
        let destinations = DestinationConfiguration.read(
            try files(in: "config/examples/webhook/destinations"),
            templates: noTemplates,
            rules: DestinationRules()
        )
        let syncs = SyncConfiguration.read(
            try files(in: "config/examples/webhook/syncs"),
            cohorts: try cohortIDs(in: "config/examples"),
            destinations: destinations
        )
        #expect(destinations.problems.map(\.description) == [])
        #expect(syncs.problems.map(\.description) == [])
    }

    @Test("docs/configuration.md has the tables of the program; UPDATE_GOLDEN=1 writes them anew")
    func documentation() throws {
        let url = repository.appending(path: "docs/configuration.md")
        var page = try String(contentsOf: url, encoding: .utf8)
        let tables = [
            ("daemon", ConfigurationKey.daemon), ("http.keys", ConfigurationKey.httpKey),
            ("destination", ConfigurationKey.destination),
            ("webhook", ConfigurationKey.webhook), ("file", ConfigurationKey.file),
            ("kafka-topic and kafka-table", ConfigurationKey.kafkaDestination),
            ("file-csv", ConfigurationKey.fileCSV), ("s3-csv", ConfigurationKey.objectStoreCSV),
            ("sync", ConfigurationKey.sync),
        ]
        for (name, keys) in tables {
            let start = try #require(page.range(of: "<!-- keys: \(name) -->\n"))
            let end = try #require(
                page.range(of: "<!-- end -->", range: start.upperBound..<page.endIndex)
            )
            let table = ConfigurationReference.markdown(keys)
            if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
                page.replaceSubrange(start.upperBound..<end.lowerBound, with: table)
                try page.write(to: url, atomically: true, encoding: .utf8)
            } else {
                #expect(page[start.upperBound..<end.lowerBound] == table[...], "\(name)")
            }
        }
        for code in ConfigurationProblem.Code.allCases {
            #expect(page.contains("`\(code.rawValue)`"), "\(code)")
        }
        for (name, _) in KafkaConfiguration.refusedProperties {
            #expect(page.contains("`\(name)`"), "\(name)")
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
