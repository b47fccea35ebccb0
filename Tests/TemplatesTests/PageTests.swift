import Basics
import Configuration
import Foundation
import Templates
import Testing

@Suite("The pages about templates")
struct PageTests {
    private let url = repository.appending(path: "docs/destinations/templates.md")

    private func blocks(of page: String, _ fence: String) -> [String] {
        page.components(separatedBy: "\n```\(fence)\n").dropFirst().compactMap {
            $0.components(separatedBy: "\n```").first
        }
    }

    @Test("the table of keys is the program's; UPDATE_GOLDEN=1 writes it anew")
    func keys() throws {
        var page = try String(contentsOf: url, encoding: .utf8)
        let start = try #require(page.range(of: "<!-- keys: template -->\n"))
        let end = try #require(
            page.range(of: "<!-- end -->", range: start.upperBound..<page.endIndex)
        )
        let table = ConfigurationReference.markdown(ConfigurationKey.template)
        if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
            page.replaceSubrange(start.upperBound..<end.lowerBound, with: table)
            try page.write(to: url, atomically: true, encoding: .utf8)
        } else {
            #expect(page[start.upperBound..<end.lowerBound] == table[...])
        }
    }

    @Test("every word of the closed lists is explained")
    func words() throws {
        let page = try String(contentsOf: url, encoding: .utf8)
        let words =
            Outcome.allCases.map(\.rawValue) + MappingRefusal.allCases.map(\.rawValue)
            + Identity.Pick.allCases.map(\.rawValue)
        for word in words {
            #expect(page.contains(word), "\(word)")
        }
        for reason in TemplateVerdict.Reason.allCases
        where reason != .listIDMissing && reason != .unknownItem {
            #expect(page.contains("`\(reason.rawValue)`"), "\(reason)")
        }
    }

    @Test("the example is right and renders what the page shows")
    func example() throws {
        let page = try String(contentsOf: url, encoding: .utf8)
        let yaml = try #require(blocks(of: page, "yaml").first)
        let template = try template(yaml)
        let binding = try bound(template, ["key": "…"], listID: "17")
        let users = [
            TestUser("", true, ["props.email": " Test@Example.COM"]),
            TestUser("", false, ["props.phone": "+1 (555) 123-4567"]),
        ]
        var plan = binding.plan(try changes(users, template).list, batch)
        let next = plan.next()
        let request = try #require(next)
        #expect(blocks(of: page, "").contains(String(request.golden.dropLast())))
    }

    @Test("the message is what the program says")
    func message() throws {
        let page = try String(contentsOf: url, encoding: .utf8)
        var yaml = try #require(blocks(of: page, "yaml").first)
        let place = try #require(yaml.range(of: "${u.email}"))
        yaml.replaceSubrange(place, with: "${u.emial}")
        let reading = Template.read([
            ConfigurationFile(name: "templates/shop.yaml", bytes: Array(yaml.utf8))
        ])
        #expect(reading.problems.count == 1)
        let message = try #require(reading.problems.first).description
        #expect(page.contains(message), "\(message)")
    }

    @Test(
        "every template of the repository has a page that shows its request",
        arguments: GoldenCase.all
    )
    func partners(_ golden: GoldenCase) throws {
        let index = try String(contentsOf: url, encoding: .utf8)
        let row = try #require(
            index.split(separator: "\n").first { $0.hasPrefix("| `\(golden.template)` |") }
        )
        let link = try #require(row.range(of: "](")).upperBound
        let page = try String(
            contentsOf: repository.appending(
                path: "docs/destinations/\(row[link...].prefix { $0 != ")" })"
            ),
            encoding: .utf8
        )
        for setting in try shipped(golden.template).settings {
            #expect(page.contains("`\(setting.name)`"), "\(setting.name)")
        }
    }
}
