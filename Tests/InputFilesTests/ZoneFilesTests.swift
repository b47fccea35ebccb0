import Basics
import Cohorts
import InputFiles
import Testing

@Suite("Files of time zones")
struct ZoneFilesTests {
    private static let hasFiles = InputFiles.exists("/usr/share/zoneinfo/Europe/Berlin")

    @Test("UTC needs no file")
    func utc() throws {
        #expect(ZoneFiles.exists("UTC"))
        #expect(try #require(ZoneFiles.rules("UTC")).identity == TimeZoneRules.utc.identity)
    }

    @Test("a zone has the rules of its file", .enabled(if: hasFiles, "there is no tzdata"))
    func rules() throws {
        let summer = try #require(EventTime(rfc3339: "2026-07-01T00:00:00Z"))
        let winter = try #require(EventTime(rfc3339: "2026-01-01T00:00:00Z"))
        // Twice, since the second time nothing is read.
        for _ in 0..<2 {
            let rules = try #require(ZoneFiles.rules("Europe/Berlin"))
            #expect(rules.offset(at: summer) == 7_200_000)
            #expect(rules.offset(at: winter) == 3_600_000)
        }
    }

    @Test(
        "what is no zone has no rules",
        arguments: [
            "", "Europe", "Europe/Atlantis", "europe/berlin ", "../zoneinfo/UTC", "/etc/localtime",
            "/usr/share/zoneinfo/Europe/Berlin", "zone.tab", "tzdata.zi", "right/Europe/Berlin",
            "Europe/Berlin\0", String(repeating: "a", count: 65),
        ]
    )
    func noZone(_ name: String) {
        #expect(!ZoneFiles.exists(name))
    }

    @Test(
        "definitions bring the zones they name and the default one",
        .enabled(if: hasFiles, "there is no tzdata")
    )
    func zonesOfDefinitions() {
        let text = """
            {id: a, timezone: Europe/Berlin, users: {new: {}}}
            ---
            {id: b, timezone: Asia/Kathmandu, users: {new: {}}}
            ---
            {id: c, users: {new: {}}}
            """
        let (definitions, problems) = DefinitionParser.parse(
            [DefinitionSource(name: "cohorts.yaml", bytes: Array(text.utf8))],
            isTimeZone: ZoneFiles.exists
        )
        #expect(problems.isEmpty)
        let zones = ZoneFiles.rules(for: definitions, defaultZone: "America/Havana")
        #expect(zones.keys.sorted() == ["America/Havana", "Asia/Kathmandu", "Europe/Berlin"])
        #expect(ZoneFiles.rules(for: [], defaultZone: "UTC").keys.sorted() == ["UTC"])
    }
}
