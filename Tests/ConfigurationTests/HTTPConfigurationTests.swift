import Basics
import Configuration
import Testing

@Suite("The section http")
struct HTTPConfigurationTests {
    @Test("keys have a name, a reference and scopes; files of TLS are paths or references")
    func whole() {
        let (configuration, problems) = read(
            """
            http:
              listen: 0.0.0.0:8443
              requests_per_second: 7
              keys:
                - {name: ci, secret: "file:/etc/cohortd/ci.key", scopes: [read]}
                - {name: crm, secret: "credential:crm", scopes: [export, read, write, admin, profile, ingest]}
              tls: {certificate: /etc/cohortd/tls.pem, key: "credential:tls"}
            """
        )
        #expect(problems == [])
        #expect(configuration.http.listen == ListenAddress("0.0.0.0:8443"))
        #expect(configuration.http.requestsPerSecond == 7)
        #expect(configuration.http.keys.map(\.name) == ["ci", "crm"])
        #expect(
            configuration.http.keys.map(\.secret) == [
                .file("/etc/cohortd/ci.key"), .credential("crm"),
            ]
        )
        #expect(configuration.http.keys.map(\.scopes) == [[.read], Set(APIScope.allCases)])
        #expect(configuration.http.tls?.certificate == .file("/etc/cohortd/tls.pem"))
        #expect(configuration.http.tls?.key == .credential("tls"))
    }

    @Test("keys may be given by --set, as JSON")
    func overridden() {
        let (configuration, problems) = read(
            "",
            set: [#"http.keys=[{"name":"ci","secret":"env:CI","scopes":["read"]}]"#]
        )
        #expect(problems == [])
        #expect(configuration.http.keys.map(\.secret) == [.environment("CI")])
    }

    @Test(
        "listening beyond loopback needs keys",
        arguments: ["0.0.0.0:8080", "192.168.1.1:8080", "[::]:8080", "[::ffff:127.0.0.1]:8080"]
    )
    func beyondLoopback(address: String) {
        #expect(
            problems("http: {listen: \"\(address)\"}") == [
                "c.yaml:1:16: error[refused]: http.listen: \(address) is beyond loopback, where nobody may ask "
                    + "without a key: give http.keys, or listen on 127.0.0.1:8080"
            ]
        )
        let keyed = #"keys: [{name: a, secret: "env:A", scopes: [read]}]"#
        #expect(problems("http: {listen: \"\(address)\", \(keyed)}") == [])
    }

    @Test(
        "a key that is not whole is told with its place, and nothing else of it",
        arguments: [
            (
                #"[{secret: "env:A", scopes: [read]}]"#,
                "1:15: error[missing_key]: http.keys[0].name is missing (expected id)"
            ),
            (
                #"[{name: Ci, secret: "env:A", scopes: [read]}]"#,
                "1:22: error[bad_value]: http.keys[0].name:"
            ),
            (
                #"[{name: a, scopes: [read]}]"#,
                "1:15: error[missing_key]: http.keys[0].secret is missing (expected reference)"
            ),
            (
                #"[{name: a, secret: hush-hush, scopes: [read]}]"#,
                "1:33: error[plain_secret]: http.keys[0].secret: a secret does not stand in a file"
            ),
            (
                #"[{name: a, secret: "env:A"}]"#,
                "1:15: error[missing_key]: http.keys[0].scopes is missing or empty "
                    + "(expected list of read, export, write, admin, profile, ingest)"
            ),
            (
                #"[{name: a, secret: "env:A", scopes: []}]"#,
                "1:15: error[missing_key]: http.keys[0].scopes is missing or empty"
            ),
            (
                #"[{name: a, secret: "env:A", scopes: [reed]}]"#,
                #"1:51: error[bad_value]: http.keys[0].scopes[0]: "reed" is not known"#
            ),
            (
                #"[{name: a, secret: "env:A", scopes: [read], scope: x}]"#,
                #"1:58: error[unknown_key]: unknown key "scope" in http.keys[0] (did you mean "scopes"?)"#
            ),
            ("[ci]", "1:15: error[bad_type]: http.keys[0]: expected a map of keys"),
            ("ci", "1:14: error[bad_type]: http.keys: expected a list"),
        ]
    )
    func wrongKey(keys: String, problem: String) {
        let found = problems("http: {keys: \(keys)}")
        #expect(found.count == 1)
        #expect(found.first?.hasPrefix("c.yaml:\(problem)") == true, "\(found)")
    }

    @Test("a name that two keys have is refused")
    func sameName() {
        let found = problems(
            """
            http:
              keys:
                - {name: a, secret: "env:A", scopes: [read]}
                - {name: a, secret: "env:B", scopes: [read]}
            """
        )
        #expect(
            found == [
                "c.yaml:4:7: error[duplicate_id]: http.keys[1].name: a key \"a\" is given already in line 3"
            ]
        )
    }

    @Test(
        "TLS takes both files, by absolute paths or references",
        arguments: [
            ("{certificate: /c.pem}", "error[conflict]: http.tls.key is missing"),
            ("{key: /k.pem}", "error[conflict]: http.tls.certificate is missing"),
            (
                "{certificate: c.pem, key: /k.pem}",
                #"error[bad_value]: http.tls.certificate: "c.pem" is no absolute path"#
            ),
            (
                #"{certificate: "file:c.pem", key: /k.pem}"#,
                #"error[bad_value]: http.tls.certificate: "file:c.pem" is no absolute path"#
            ),
        ]
    )
    func wrongTLS(tls: String, problem: String) {
        let found = problems("http: {tls: \(tls)}")
        #expect(found.count == 1)
        #expect(found.first?.contains(problem) == true, "\(found)")
    }
}
