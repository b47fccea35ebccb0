import Basics
import Foundation
import HTTPAPI
import Synchronization
import Testing

/// A folder with a configuration, and what is run with it.
private struct Folder: ~Copyable {
    let path: String

    init(destinations: String, templates: String = "") throws {
        path = FileManager.default.temporaryDirectory.path + "/cohortctl-\(UUID().uuidString)"
        let templateFolder = "\(path)/destinations/templates"
        try FileManager.default.createDirectory(
            atPath: templateFolder,
            withIntermediateDirectories: true
        )
        try write("data_dir: \(path)/data\n", "cohortd.yaml")
        try write(destinations, "destinations/d.yaml")
        try write(templates, "destinations/templates/t.yaml")
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    func write(_ text: String, _ name: String) throws {
        try Data(text.utf8).write(to: URL(filePath: "\(path)/\(name)"))
    }

    func run(_ arguments: String..., environment: [String: String] = [:]) throws -> Ended {
        try Cohortctl.run(
            ["destinations", "test"] + arguments + ["--config", "\(path)/cohortd.yaml"],
            environment: environment
        )
    }
}

/// A partner whose lists get their ids there.
private let shop = #"""
    template: shop
    model: list
    settings: {url: {type: url, required: true}, key: {type: secret, required: true, pattern: '^CANARY'}}
    base_url: '${settings.url}'
    auth: {kind: bearer, token: '${settings.key}'}
    identity: {keys: [{name: id, from: user_id, normalise: [trim]}]}
    audience:
      ensure:
        request: {method: POST, path: /lists, body: {name: '${cohort.name}'}}
        id: /list/id
    members:
      change:
        method: POST
        path: /lists/${audience.id}
        body: {$omit_empty: {add: {$each: adds, item: '${u.id}'}, remove: {$each: removes, item: '${u.id}'}}}
    batch: {max_items: 10, mix: true}
    responses:
      - {when: {status: [200-299]}, then: delivered}
      - {when: {status: [429]}, then: throttle}
      - {when: {status: [401, 403]}, then: auth, reason: key_rejected}
      - {when: {status: [400-499]}, then: skip, split: true, reason: rejected_by_partner}
      - {when: {status: [500-599]}, then: retry}
    """#

private func shopDestination(_ url: String) -> String {
    """
    id: shop
    template: shop
    settings: {url: "\(url)", key: "env:SHOP_KEY"}
    allow_private: [127.0.0.0/8]
    """
}

@Suite("destinations test")
struct DestinationTestTests {
    @Test(
        "shows a partner's requests with the secret replaced, whether it is there or not",
        arguments: [
            ["SHOP_KEY": "CANARY-key"], [:],
        ]
    )
    func partner(environment: [String: String]) throws {
        let folder = try Folder(
            destinations: shopDestination("https://shop.example.com/v1"),
            templates: shop
        )
        let ended = try folder.run("shop", environment: environment)
        #expect(ended.status == 0)
        #expect(
            ended.output == """
                destination shop: cohortd-test-user enters and cohortd-test-user-2 leaves; *** stands for secrets

                audience.ensure.request
                POST https://shop.example.com/v1/lists
                Authorization: Bearer ***
                Content-Type: application/json

                {
                  "name": "cohortd test"
                }

                members.change
                POST https://shop.example.com/v1/lists/LIST-ID
                Authorization: Bearer ***
                Content-Type: application/json

                {
                  "add": [
                    "cohortd-test-user"
                  ],
                  "remove": [
                    "cohortd-test-user-2"
                  ]
                }

                """
        )
        #expect(environment.isEmpty == ended.errors.contains("set SHOP_KEY"))
        #expect(!(ended.output + ended.errors).contains("CANARY"))
    }

    @Test(
        "shows a webhook's requests without its signature and without a URL that stands elsewhere"
    )
    func webhook() throws {
        let folder = try Folder(
            destinations: """
                id: crm
                template: webhook
                settings: {url: "env:CRM_URL", secret: "env:CRM_SECRET"}
                """
        )
        let secret = "whsec_Q0FOQVJZQ0FOQVJZQ0FOQVJZQ0FOQVJZQ0FOQVJZQ0E="
        let ended = try folder.run(
            "crm",
            "--user",
            "u1",
            environment: ["CRM_URL": "https://crm.example.com/CANARY-path", "CRM_SECRET": secret]
        )
        #expect(ended.status == 0)
        #expect(ended.errors.isEmpty)
        #expect(ended.output.contains("\nenter\nPOST ***\n"))
        #expect(ended.output.contains("\nwebhook-signature: v1,***\n"))
        #expect(ended.output.contains("\"user_id\": \"u1\""))
        #expect(ended.output.contains("\"user_id\": \"u1-2\""))
        #expect(ended.output.contains("\"in_cohort\": false"))
        #expect(!ended.output.contains("CANARY"))
        #expect(!ended.output.contains("Q0FOQVJZ"))
    }

    @Test("shows the records and files of the other built-in destinations, and sends none of them")
    func others() throws {
        let folder = try Folder(
            destinations: """
                {id: lines, template: file, settings: {path: /nowhere/x.jsonl}}
                ---
                {id: topic, template: kafka-topic, settings: {topic: t}}
                ---
                {id: table, template: kafka-table, settings: {topic: t}}
                ---
                {id: csv, template: file-csv, settings: {dir: /nowhere}}
                ---
                {id: s3, template: s3-csv, settings: {endpoint: "https://s3.example.com", region: r,
                 bucket: bucket, access_key: "env:A", secret_key: "env:B"}}
                """
        )
        for (id, part, status) in [
            ("lines", #""user":"cohortd-test-user-2","op":"exit"}"#, 1 as Int32),
            ("topic", #"cohortd-test|cohortd-test-user  {"tick":"#, 64),
            ("table", "cohortd-test|cohortd-test-user-2  (no value: a tombstone)", 64),
            ("csv", "_entering.csv\nuser_id\ncohortd-test-user\n", 1),
            ("s3", "_existing.csv\nuser_id\n", 64),
        ] {
            let ended = try folder.run(id)
            #expect(ended.status == 0, "\(id): \(ended.errors)")
            #expect(ended.output.contains(part), "\(ended.output)")
            let sent = try folder.run(id, "--send")
            #expect(sent.status == status, "\(id): \(sent.errors)")
            #expect(sent.output.isEmpty)
        }
        let csv = "id: csv\ntemplate: file-csv\nsettings: {dir: \"\(folder.path)\"}\n"
        try folder.write(csv, "destinations/d.yaml")
        let sent = try folder.run("csv", "--send")
        #expect(sent.status == 0)
        #expect(sent.output == "\(folder.path) can be written by this user; nothing was\n")
    }

    @Test("--send makes the list, adds a user and removes the same one, with the real secret")
    func send() throws {
        let seen = Mutex<[String]>([])
        let partner = try HTTPServer(listen: .init(port: 0)) { request in
            let body = String(decoding: request.body, as: UTF8.self)
            seen.withLock {
                $0.append("\(request.target) \(request.headers["authorization"] ?? "") \(body)")
            }
            return json(status: 201, #"{"list":{"id":17}}"#)
        }
        defer { partner.stop() }
        let folder = try Folder(
            destinations: shopDestination("http://\(partner.address)"),
            templates: shop
        )
        let ended = try folder.run(
            "shop",
            "--send",
            "--user",
            "u1",
            environment: ["SHOP_KEY": "CANARY-key"]
        )
        #expect(ended.status == 0, "\(ended.errors)")
        #expect(
            ended.output == """
                audience.ensure.request: 201, the list is there and stays: 17
                members.change (add): 201 delivered
                members.change (remove): 201 delivered

                """
        )
        #expect(
            ended.errors
                == "cohortctl: asking the real destination shop: u1 is added, then removed\n"
        )
        #expect(
            seen.withLock { $0 } == [
                #"/lists Bearer CANARY-key {"name":"cohortd test"}"#,
                #"/lists/17 Bearer CANARY-key {"add":["u1"]}"#,
                #"/lists/17 Bearer CANARY-key {"remove":["u1"]}"#,
            ]
        )
    }

    @Test(
        "--send that is refused is a no with what the partner says, but not the secret it repeats"
    )
    func refused() throws {
        let partner = try HTTPServer(listen: .init(port: 0)) { request in
            json(status: 401, "no: \(request.headers["authorization"] ?? "")\u{1b}[31m")
        }
        defer { partner.stop() }
        let folder = try Folder(
            destinations: shopDestination("http://\(partner.address)"),
            templates: shop
        )
        let ended = try folder.run("shop", "--send", environment: ["SHOP_KEY": "CANARY-key"])
        #expect(ended.status == 1)
        #expect(
            ended.output
                == "audience.ensure.request: 401 auth: key_rejected; it says: no: Bearer *** [31m\n"
        )
    }

    @Test("--send to a webhook that answers an error is a no, to one that takes it 0")
    func sendWebhook() throws {
        let status = Mutex(204)
        let receiver = try HTTPServer(listen: .init(port: 0)) { _ in
            json(status: status.withLock { $0 }, "")
        }
        defer { receiver.stop() }
        let folder = try Folder(
            destinations: """
                id: crm
                template: webhook
                settings: {url: "http://\(receiver.address)/", secret: "env:CRM_SECRET"}
                allow_private: [127.0.0.0/8]
                """
        )
        let environment = ["CRM_SECRET": "whsec_Q0FOQVJZQ0FOQVJZQ0FOQVJZQ0FOQVJZQ0FOQVJZQ0E="]
        let taken = try folder.run("crm", "--send", environment: environment)
        #expect(taken.status == 0)
        #expect(taken.output == "enter: delivered\nexit: delivered\n")
        status.withLock { $0 = 500 }
        let refused = try folder.run("crm", "--send", environment: environment)
        #expect(refused.status == 1)
        #expect(refused.output.contains("enter: http://\(receiver.address) answers 500"))
        let missing = try folder.run("crm", "--send")
        #expect(missing.status == 78)
        #expect(missing.errors.contains("set CRM_SECRET"))
    }

    @Test(
        "an unknown destination is a no with the nearest, a wrong configuration 78 with its place"
    )
    func wrong() throws {
        let folder = try Folder(
            destinations: shopDestination("https://shop.example.com"),
            templates: shop
        )
        let unknown = try folder.run("shpo")
        #expect(unknown.status == 1)
        #expect(unknown.errors.contains("no destination 'shpo'; did you mean 'shop'?"))
        try folder.write(
            "id: shop\ntemplate: shop\nsettings: {key: CANARY}\n",
            "destinations/d.yaml"
        )
        let wrong = try folder.run("shop")
        #expect(wrong.status == 78)
        #expect(wrong.errors.contains("destinations/d.yaml:3:11: error[missing_key]: settings.url"))
        #expect(
            wrong.errors.contains("destinations/d.yaml:3:17: error[plain_secret]: settings.key")
        )
        #expect(!wrong.errors.contains("CANARY"))
    }
}
