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

@Suite("The header fields of a request")
struct HTTPHeadersTests {
    @Test("names are the same in any case, and values of one name keep their order")
    func names() {
        var headers = HTTPHeaders()
        headers.append("Content-TYPE", "a")
        headers.append("content-type", "b")
        for name in ["Content-Type", "content-type", "CONTENT-TYPE"] {
            #expect(headers[name] == "a")
            #expect(headers.all(name) == ["a", "b"])
        }
        #expect(headers["Content"] == nil && headers.all("X").isEmpty)
    }
}
