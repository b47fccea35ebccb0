import Basics
import Configuration
import Foundation
import Templates
import Testing

/// The folder of the repository.
let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

/// Foundation's decomposition, as the shell hands it in.
let decompose: CompatibilityDecomposition = { text, bytes in
    bytes.append(contentsOf: text.decomposedStringWithCompatibilityMapping.utf8)
}

/// Reads templates from text.
func reading(_ text: String) -> ConfigurationReading<[Template]> {
    Template.read([ConfigurationFile(name: "t.yaml", bytes: Array(text.utf8))])
}

/// The problems of a text, as they are shown.
func problems(_ text: String) -> [String] {
    reading(text).problems.map(\.description)
}

/// The one template of a text that is right.
func template(_ text: String, at location: SourceLocation = #_sourceLocation) throws -> Template {
    let reading = reading(text)
    #expect(reading.problems.map(\.description) == [], sourceLocation: location)
    return try #require(reading.value.first, sourceLocation: location)
}

/// A template of config/destinations/templates.
func shipped(_ name: String) throws -> Template {
    let path = "config/destinations/templates/\(name).yaml"
    let bytes = Array(try Data(contentsOf: repository.appending(path: path)))
    let reading = Template.read([ConfigurationFile(name: path, bytes: bytes)])
    #expect(reading.problems.map(\.description) == [])
    return try #require(reading.value.first)
}

/// A small template of which tests change one part.
struct TestTemplate {
    var top = "model: property"
    var settings = ""
    var baseURL = "https://api.example.com"
    var identity = "{keys: [{name: id, from: user_id}]}"
    var members =
        "{change: {method: POST, path: /u, body: {users: {$each: changes, item: '${u.id}'}}}}"
    var batch = "{max_items: 10, mix: true}"
    var responses = "[{when: {status: [200-599]}, then: delivered}]"
    var rest = ""

    var text: String {
        """
        template: t
        \(top)
        \(settings)
        base_url: '\(baseURL)'
        identity: \(identity)
        members: \(members)
        batch: \(batch)
        responses: \(responses)
        \(rest)
        """
    }
}

/// One user of a test: the values by source name, and the direction.
struct TestUser {
    var values: [String: String]
    var isEntering = true

    init(_ id: String, _ isEntering: Bool = true, _ values: [String: String] = [:]) {
        self.values = values.merging(["user_id": id]) { given, _ in given }
        self.isEntering = isEntering
    }
}

/// Maps users into a list of changes; those who cannot be mapped are returned by their place.
func changes(
    _ users: [TestUser],
    _ template: Template
) throws -> (list: ChangeList, refused: [Int: MappingRefusal]) {
    var mapper = try IdentityMapper(template.identity, decompose: decompose)
    var list = ChangeList()
    var refused: [Int: MappingRefusal] = [:]
    for (index, user) in users.enumerated() {
        let values = mapper.sources.map { Array((user.values[$0.name] ?? "").utf8) }
        var row: [UInt8] = []
        do throws(MappingRefusal) {
            try map(values, &mapper, into: &row)
        } catch {
            refused[index] = error
            continue
        }
        row.withByteView { list.append(row: $0, isEntering: user.isEntering) }
    }
    return (list, refused)
}

/// Lends all values at once.
private func map(
    _ values: [[UInt8]],
    _ mapper: inout IdentityMapper,
    into row: inout [UInt8]
) throws(MappingRefusal) {
    let bytes = values.flatMap { $0 }
    try bytes.withByteView { (all: ByteView) throws(MappingRefusal) in
        var views: [ByteView] = []
        var start = 0
        for value in values {
            views.append(ByteView(base: all.base + start, count: value.count))
            start += value.count
        }
        try mapper.map(views, into: &row)
    }
}

let cohort = TemplateCohort(
    id: "7khm89cz",
    name: "Big spenders",
    createdAt: EventTime(milliseconds: 1_767_225_600_000)
)
let batch = BatchContext(
    id: "7khm89cz::enter::0",
    tick: EventTime(milliseconds: 1_767_323_040_000)
)

/// Binds a template with settings given as texts.
func bound(
    _ template: Template,
    _ settings: [String: String] = [:],
    listID: String? = nil,
    cohort: TemplateCohort = cohort,
    isRedacted: Bool = false
) throws -> TemplateBinding {
    try TemplateBinding(
        template,
        settings: settings.mapValues { SettingValue($0) },
        cohort: cohort,
        listID: listID,
        decompose: decompose,
        isRedacted: isRedacted
    )
}

extension TemplateRequestPlan {
    /// All requests that are left.
    mutating func all() -> [TemplateRequest] {
        var requests: [TemplateRequest] = []
        while let request = next() { requests.append(request) }
        return requests
    }
}

extension TemplateRequest {
    var bodyText: String { String(decoding: body, as: UTF8.self) }

    /// As golden files have it.
    var golden: String {
        let head = headers.map { "\($0.name): \($0.value)\n" }.joined()
        return "\(method) \(url)\n\(head)\n\(bodyText)\n"
    }
}
