import Basics
import Foundation
import Templates
import TestKit
import Testing

/// A template of the repository with the settings its golden files are made with.
struct GoldenCase: CustomTestStringConvertible, Sendable {
    var template: String
    var settings: [String: String]
    var listID: String?

    var testDescription: String { template }

    static let all = [
        GoldenCase(
            template: "talon-one",
            settings: ["api_key": "s3cret-key", "deployment": "acme.europe-west1.talon.one"]
        ),
        GoldenCase(
            template: "braze-attributes",
            settings: ["rest_key": "s3cret-key", "host": "rest.iad-01.braze.com"]
        ),
        GoldenCase(
            template: "braze-cohorts",
            settings: [
                "partner_name": "acme", "partner_api_key": "s3cret-partner",
                "client_secret": "s3cret-client", "host": "rest.iad-01.braze.com",
            ]
        ),
        GoldenCase(
            template: "amplitude-cohorts",
            settings: [
                "api_key": "s3cret-key", "secret_key": "s3cret-secret", "app_id": "153957",
                "owner": "data@acme.example",
            ],
            listID: "x1y2z3"
        ),
        GoldenCase(
            template: "meta-custom-audiences",
            settings: ["access_token": "T", "app_secret": "A", "ad_account": "act_17"],
            listID: "238"
        ),
    ]

    /// One user who enters and one who leaves, of whom less is known.
    static let users = [
        TestUser(
            "u1",
            true,
            [
                "props.email": " Test@Example.COM", "props.phone": "+1 (555) 123-4567",
                "props.country": "US",
            ]
        ),
        TestUser("u2", false, ["props.phone": "+0000000000"]),
    ]

    /// The golden rendering: the list's own requests, then those of members.
    func rendering() throws -> String {
        let template = try shipped(template)
        let binding = try bound(template, settings, listID: listID)
        let mapped = try changes(Self.users, template)
        #expect(mapped.refused == [:])
        var text = ""
        func append(_ title: String, _ request: TemplateRequest?) {
            if let request { text += "# \(title)\n\(request.golden)\n" }
        }
        let entering = try changes([Self.users[0]], template).list
        append("make the list", binding.ensure(batch, changes: entering))
        append("rename the list", binding.rename(batch))
        append("delete the list", binding.delete(batch))
        for (title, range) in [("add", 0..<1), ("remove", 1..<2), ("mixed", 0..<2)] {
            var plan = binding.plan(mapped.list, range: range, batch)
            for request in plan.all() { append(title, request) }
        }
        let all = try changes([Self.users[0], TestUser("u3")], template).list
        let replace = ReplaceContext(
            session: 9_223_372_036_854_775_809,
            total: 2,
            firstPage: 1,
            isFinal: true
        )
        if var pages = binding.planReplace(all, replace, batch) {
            for page in pages.all() { append("replace", page) }
        }
        return text
    }

    /// What the answers of the golden file mean, each line of it an answer.
    func verdicts(_ answers: String) throws -> String {
        let template = try shipped(template)
        let binding = try bound(template, settings, listID: listID)
        let users = (0..<4).map { TestUser("u\($0)") }
        let list = try changes(users, template).list
        var text = ""
        for line in answers.split(separator: "\n") where !line.hasPrefix("  ") {
            text += "\(line)\n"
            if line.hasPrefix("#") { continue }
            var plan = binding.plan(list, batch)
            let next = plan.next()
            let request = try #require(next)
            let verdict = binding.judge(
                try Self.answer(line),
                of: request,
                changes: list,
                now: batch.tick
            )
            text += "  \(verdict.golden)\n"
            for user in verdict.users {
                let reason = user.reason.map { ", \($0)" } ?? ""
                let code = user.code.map { ", code \($0)" } ?? ""
                text += "  u\(user.change): \(user.outcome.rawValue)\(reason)\(code)\n"
            }
        }
        return text
    }

    /// Reads a line such as `429 [Retry-After: 7] {"body":1}`.
    private static func answer(_ line: Substring) throws -> TemplateAnswer {
        var rest = line[...]
        let status = try #require(Int(rest.prefix { $0 != " " }))
        rest = rest.dropFirst(4)
        var headers: [(name: String, value: String)] = []
        while rest.hasPrefix("["), let end = rest.range(of: "] ")?.lowerBound {
            let colon = try #require(rest.range(of: ": "))
            headers.append(
                (
                    name: String(rest[..<colon.lowerBound].dropFirst()),
                    value: String(rest[colon.upperBound..<end])
                )
            )
            rest = rest[end...].dropFirst(2)
        }
        return TemplateAnswer(status: status, headers: headers, body: Array(rest.utf8))
    }
}

extension TemplateVerdict {
    /// As golden files have it.
    var golden: String {
        var parts = [outcome.rawValue]
        if let reason { parts.append(reason) }
        if let code { parts.append("code \(code)") }
        if let retryAfterMilliseconds { parts.append("after \(retryAfterMilliseconds) ms") }
        if isSplit { parts.append("split") }
        if skippedCount > 0 { parts.append("\(skippedCount) skipped") }
        parts.append(isComplete ? "complete" : "not complete")
        return parts.joined(separator: ", ")
    }
}

@Suite("Golden renderings of the templates")
struct GoldenTests {
    private static let folder = Golden.folder.appending(path: "templates")

    /// Compares with a golden file; UPDATE_GOLDEN=1 writes it anew.
    private func compare(_ text: String, _ name: String) throws {
        let file = Self.folder.appending(path: name)
        if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
            try text.write(to: file, atomically: true, encoding: .utf8)
        }
        #expect(text == (try String(contentsOf: file, encoding: .utf8)), "\(name)")
    }

    @Test("requests", arguments: GoldenCase.all)
    func requests(_ golden: GoldenCase) throws {
        try compare(try golden.rendering(), "\(golden.template).requests.txt")
    }

    @Test("what answers mean", arguments: GoldenCase.all)
    func answers(_ golden: GoldenCase) throws {
        let name = "\(golden.template).answers.txt"
        let answers = try String(contentsOf: Self.folder.appending(path: name), encoding: .utf8)
        try compare(try golden.verdicts(answers), name)
    }

    @Test("every template of the repository has its golden files")
    func complete() throws {
        let folder = repository.appending(path: "config/destinations/templates").path
        let names = try FileManager.default.contentsOfDirectory(atPath: folder)
        #expect(Set(names) == Set(GoldenCase.all.map { "\($0.template).yaml" }))
    }

    @Test(
        "a redacted request is the same but for what comes from secrets",
        arguments: GoldenCase.all
    )
    func redaction(_ golden: GoldenCase) throws {
        let template = try shipped(golden.template)
        let secrets = template.settings.filter { $0.kind == .secret }.compactMap {
            golden.settings[$0.name]
        }.filter { $0.count > 1 }
        let binding = try bound(template, golden.settings, listID: golden.listID, isRedacted: true)
        let list = try changes(GoldenCase.users, template).list
        var plan = binding.plan(list, batch)
        for request in plan.all() {
            #expect(secrets.allSatisfy { !request.golden.contains($0) })
            #expect(!request.golden.contains("370e3f591667f7049acde50f98e97de5"))
            #expect(request.golden.contains("***") || golden.template == "amplitude-cohorts")
        }
    }

    @Test("a request describes itself without its secrets and users", arguments: GoldenCase.all)
    func description(_ golden: GoldenCase) throws {
        let template = try shipped(golden.template)
        let binding = try bound(template, golden.settings, listID: golden.listID)
        let list = try changes(GoldenCase.users, template).list
        var plan = binding.plan(list, batch)
        let next = plan.next()
        let request = try #require(next)
        for text in ["\(request)", String(reflecting: request)] {
            #expect(!text.contains("u1"))
            #expect(!text.contains("s3cret"))
            #expect(!text.contains("https"))
        }
        var dumped = ""
        dump(request, to: &dumped)
        #expect(!dumped.contains("s3cret"))
    }
}

@Suite("The worked examples of the partners' documentation")
struct WorkedExampleTests {
    private func bodies(_ name: String, _ users: [TestUser]) throws -> [(String, String)] {
        let golden = try #require(GoldenCase.all.first { $0.template == name })
        let template = try shipped(name)
        let binding = try bound(template, golden.settings, listID: golden.listID)
        var plan = binding.plan(try changes(users, template).list, batch)
        return plan.all().map { ("\($0.method) \($0.url)", $0.bodyText) }
    }

    @Test("Talon.One")
    func talonOne() throws {
        let requests = try bodies("talon-one", GoldenCase.users)
        #expect(requests.count == 1)
        #expect(
            requests[0].0
                == "PUT https://integration.talon.one/cdp/v2/customer_profiles/audiences"
        )
        #expect(
            requests[0].1
                == #"{"data":[{"customerProfileId":"u1","adds":["7khm89cz"],"deletes":[]},{"customerProfileId":"u2","adds":[],"deletes":["7khm89cz"]}]}"#
        )
    }

    @Test("Braze attributes")
    func brazeAttributes() throws {
        let requests = try bodies("braze-attributes", GoldenCase.users)
        #expect(requests.map(\.0) == ["POST https://rest.iad-01.braze.com/users/track"])
        #expect(
            requests[0].1
                == #"{"attributes":[{"external_id":"u1","_update_existing_only":true,"cohort_7khm89cz":true},{"external_id":"u2","_update_existing_only":true,"cohort_7khm89cz":false}]}"#
        )
    }

    @Test("Braze cohorts")
    func brazeCohorts() throws {
        let requests = try bodies("braze-cohorts", GoldenCase.users)
        #expect(
            requests.map(\.0) == ["POST https://rest.iad-01.braze.com/partners/acme/cohorts/users"]
        )
        #expect(
            requests[0].1
                == #"{"cohort_id":"7khm89cz","cohort_changes":[{"user_ids":["u1"]},{"user_ids":["u2"],"should_remove":true}],"partner_api_key":"s3cret-partner","client_secret":"s3cret-client"}"#
        )
    }

    @Test("Meta, both users in one batch of additions")
    func meta() throws {
        var users = GoldenCase.users
        users[1].isEntering = true
        let requests = try bodies("meta-custom-audiences", users)
        #expect(
            requests.map(\.0) == [
                "POST https://graph.facebook.com/v25.0/238/users?appsecret_proof=370e3f591667f7049acde50f98e97de59b64bbcd7a9547d6f2e048807ef17f85"
            ]
        )
        #expect(
            requests[0].1
                == #"{"payload":{"schema":["EXTERN_ID","EMAIL","PHONE","FN","LN","ZIP","COUNTRY","MADID"],"data":[["u1","973dfe463ec85785f5f95af5ba3906eedb2d931c24e69824a89ea65dba4e813b","d6736136ea896c1bfdc553e0e86e702c70d060d805696ca3e4e9e0961353860a","","","","79adb2a2fce5c6ba215fe5f27f532d4e7edbac4b6a5e09e1ef3a08084a904621",""],["u2","","","","","","",""]]}}"#
        )
    }
}
