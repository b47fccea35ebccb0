import Basics
import HTTPAPI
import Testing

@Suite("The Host and Origin rule")
struct HostRuleTests {
    private func isAllowed(
        listen: String = "127.0.0.1:8080",
        _ fields: (name: String, value: String)...
    ) throws -> Bool {
        var headers = HTTPHeaders()
        for field in fields { headers.append(field.name, field.value) }
        do {
            try HostRule(listen: #require(ListenAddress(listen))).check(headers)
            return true
        } catch is HostRule.Refusal {
            return false
        }
    }

    @Test(
        "takes the listen address, localhost and loopback addresses, with any port",
        arguments: [
            "127.0.0.1:8080", "127.0.0.1", "localhost", "LOCALHOST:9000", "127.9.9.9:1", "[::1]",
            "[::1]:8080", "[0:0:0:0:0:0:0:1]:8080",
        ]
    )
    func ours(host: String) throws {
        #expect(try isAllowed(("Host", host)))
    }

    @Test(
        "refuses every other Host",
        arguments: [
            "", "example.com", "example.com:8080", "localhost.example.com", "127.0.0.1.example.com",
            "localhost.", "10.0.0.1", "0.0.0.0", "127.1", "2130706433", "0x7f000001", "::1", "[::]",
            "[::ffff:127.0.0.1]", "[127.0.0.1]", "[localhost]", "user@localhost", "localhost/x",
            "localhost:x", "localhost:99999", "localhost:80:80", "local host",
            "127.0.0.1,localhost",
            "[::1", "::1]", ":8080",
        ]
    )
    func foreign(host: String) throws {
        #expect(try !isAllowed(("Host", host)))
    }

    @Test("refuses a request without Host")
    func missing() throws {
        #expect(try !isAllowed())
    }

    @Test("takes the address it listens on when that is not loopback")
    func listenAddress() throws {
        #expect(try isAllowed(listen: "192.0.2.7:80", ("Host", "192.0.2.7")))
        #expect(try !isAllowed(listen: "192.0.2.7:80", ("Host", "192.0.2.8")))
        #expect(try isAllowed(listen: "[2001:db8::1]:80", ("Host", "[2001:DB8:0::1]:80")))
    }

    @Test(
        "takes an Origin that is the request's own Host",
        arguments: [
            ("localhost:8080", "http://localhost:8080"),
            ("LocalHost:8080", "HTTP://localhost:8080"),
            ("127.0.0.1", "http://127.0.0.1:80"), ("127.0.0.1:443", "https://127.0.0.1"),
            ("[::1]:8080", "http://[::1]:8080"),
        ]
    )
    func ownOrigin(host: String, origin: String) throws {
        #expect(try isAllowed(("Host", host), ("Origin", origin)))
    }

    @Test(
        "refuses every other Origin",
        arguments: [
            "null", "", "http://example.com", "http://localhost", "http://localhost:3000",
            "http://127.0.0.1:8080", "http://localhost:8080/", "http://localhost:8080@example.com",
            "ftp://localhost:8080", "localhost:8080", "http://", "http://localhost:8080, http://x",
        ]
    )
    func foreignOrigin(origin: String) throws {
        #expect(try !isAllowed(("Host", "localhost:8080"), ("Origin", origin)))
    }

    @Test("refuses two Origins, even the same")
    func twoOrigins() throws {
        let origin = (name: "Origin", value: "http://localhost")
        #expect(try !isAllowed(("Host", "localhost"), origin, origin))
    }
}
