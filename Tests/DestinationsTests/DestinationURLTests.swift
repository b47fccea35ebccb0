import Destinations
import Testing

@Suite("URLs of destinations")
struct DestinationURLTests {
    private func url(_ text: String, allow: [String] = []) throws -> DestinationURL {
        try DestinationURL(text, policy: try AddressPolicy(allowPrivate: allow))
    }

    @Test("an https URL is taken and named by scheme, host and port only")
    func https() throws {
        let plain = try url("https://crm.example.com/hook?token=CANARY")
        #expect(plain.target == "https://crm.example.com")
        #expect(plain.host == "crm.example.com" && plain.port == 443 && !plain.isPlain)
        #expect(try url("https://crm.example.com:8443").target == "https://crm.example.com:8443")
        #expect(try url("https://[2606:4700::1111]/x").target == "https://[2606:4700::1111]")
        #expect(try url("https://8.8.8.8/x").target == "https://8.8.8.8")
    }

    @Test(
        "http is taken where allow_private has the address, or may have it once the name is resolved"
    )
    func http() throws {
        #expect(try url("http://127.0.0.1:9/x", allow: ["127.0.0.0/8"]).isPlain)
        #expect(try url("http://crm.internal/x", allow: ["10.0.0.0/8"]).isPlain)
        for (text, allow) in [
            ("http://crm.example.com/x", []), ("http://127.0.0.1/x", []),
            ("http://8.8.8.8/x", ["10.0.0.0/8"]), ("http://10.1.1.1/x", ["10.2.0.0/16"]),
        ] {
            let error = #expect(throws: AddressError.self, "\(text)") {
                try url(text, allow: allow)
            }
            #expect("\(try #require(error))".contains("allow_private"))
        }
    }

    @Test(
        "a URL that could mislead is refused with a remedy and without the URL",
        arguments: [
            "https://user:CANARY@crm.example.com/", "https://CANARY@crm.example.com/",
            "https://@crm.example.com/", "https://:CANARY@crm.example.com/",
            "https://crm.example.com/a b?CANARY", "https://crm.example.com/CANARY\r\nX: y",
            "https://crm.example.com/CANARY\n", "https://crm.example.com/CANARY\u{7f}",
            "https://crm.example.com/CANARY\0", "https://crm.example.com/#CANARY",
            "https://crm.example.com/#", "ftp://CANARY.example.com/", "file:///CANARY",
            "gopher://CANARY.example.com/", "CANARY.example.com/hook", "", "https://",
            "https:///CANARY", "https://crm.example.com:99999/CANARY",
            "https://crm.example.com:x/CANARY", "https://[fe80::1%25eth0]/CANARY",
            "https://bücher.example/CANARY", "https://[::1]/CANARY", "https://127.0.0.1/CANARY",
            "https://[::ffff:10.0.0.1]/CANARY", "https://169.254.169.254/CANARY",
        ]
    )
    func refused(_ text: String) throws {
        let error = #expect(throws: AddressError.self) { try url(text) }
        let shown = "\(try #require(error))"
        #expect(!shown.contains("CANARY"), "\(shown)")
        #expect(shown.contains(";"), "no remedy: \(shown)")
    }

    @Test(
        "an address in an unusual spelling is refused even where the address is allowed",
        arguments: [
            "https://0x7f.0.0.1/", "https://2130706433/", "https://127.1/", "https://0177.0.0.1/",
        ]
    )
    func spellings(_ text: String) throws {
        let error = #expect(throws: AddressError.self) { try url(text, allow: ["127.0.0.0/8"]) }
        #expect("\(try #require(error))".contains("write it as 127.0.0.1"))
    }
}
