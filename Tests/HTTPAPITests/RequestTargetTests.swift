import HTTPAPI
import Testing

@Suite("The target of a request")
struct RequestTargetTests {
    @Test(
        "is split into decoded segments",
        arguments: [
            ("/", []), ("/a", ["a"]), ("/a/b", ["a", "b"]), ("/a/", ["a", ""]),
            ("/%61%2D", ["a-"]), ("/%C3%A4", ["ä"]), ("/a+b", ["a+b"]), ("/...", ["..."]),
            ("/a%3Fb?c", ["a?b"]),
        ] as [(String, [String])]
    )
    func path(text: String, expected: [String]) throws {
        #expect(try RequestTarget(text).path == expected)
    }

    @Test(
        "is refused when it could mean something else to somebody",
        arguments: [
            "", "a", "*", "http://x/", "//", "//a", "/a//b", "/.", "/..", "/a/../b", "/%2e%2E/b",
            "/%2e",
            "/a%2fb", "/a%5cb", "/a\\b", "/%00", "/a%0d%0a", "/%7f", "/%", "/%4", "/%zz", "/%+1",
            "/%c0%af", "/%ff", "/%ed%a0%80", "/a?%", "/a?x=%f", "/a?x=%ff", "/a?%gg=1",
        ]
    )
    func refused(text: String) {
        #expect(throws: RequestTarget.Problem.self) { _ = try RequestTarget(text) }
    }

    @Test("has a query whose names may repeat and whose values may hold anything")
    func query() throws {
        let items = try RequestTarget("/?a=1&a=2&&b&c=%3D%26%00/..&d=x+y%2B=z&=e").query
        #expect(
            items == [
                .init("a", "1"), .init("a", "2"), .init("b", ""), .init("c", "=&\0/.."),
                .init("d", "x y+=z"), .init("", "e"),
            ]
        )
    }

    @Test("has no query after a lone question mark")
    func emptyQuery() throws {
        #expect(try RequestTarget("/a?").query.isEmpty)
    }
}

@Suite("The address to listen on")
struct ListenAddressTests {
    @Test(
        "is read and written in one form",
        arguments: [
            ("127.0.0.1:8080", "127.0.0.1:8080"), ("localhost:1", "127.0.0.1:1"),
            ("LocalHost:0", "127.0.0.1:0"), ("[::1]:65535", "[::1]:65535"),
            ("[0:0::1]:5", "[::1]:5"), ("0.0.0.0:80", "0.0.0.0:80"),
        ]
    )
    func read(text: String, expected: String) throws {
        #expect(try "\(ListenAddress(text))" == expected)
    }

    @Test(
        "is refused in any other form",
        arguments: [
            "", ":", "8080", ":8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1",
            "127.0.0.1:+1", "127.1:80", "0x7f.0.0.1:80", "example.com:80", "::1:80",
            "[127.0.0.1]:80",
            "[::1%lo]:80", "[localhost]:80", "127.0.0.1:80 ", "[::1]",
        ]
    )
    func refused(text: String) {
        let error = #expect(throws: HTTPServerError.self) { _ = try ListenAddress(text) }
        #expect(error == .address(text: text))
    }

    @Test(
        "knows loopback",
        arguments: [
            ("127.0.0.1:1", true), ("127.255.0.9:1", true), ("[::1]:1", true), ("0.0.0.0:1", false),
            ("128.0.0.1:1", false), ("[::]:1", false), ("[::2]:1", false), ("[1::1]:1", false),
        ]
    )
    func loopback(text: String, expected: Bool) throws {
        #expect(try ListenAddress(text).host.isLoopback == expected)
    }
}
