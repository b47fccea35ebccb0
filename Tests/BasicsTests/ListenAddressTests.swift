import Basics
import Testing

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
    func read(text: String, expected: String) {
        #expect(ListenAddress(text)?.description == expected)
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
        #expect(ListenAddress(text) == nil)
    }

    @Test(
        "knows loopback",
        arguments: [
            ("127.0.0.1:1", true), ("127.255.0.9:1", true), ("[::1]:1", true), ("0.0.0.0:1", false),
            ("128.0.0.1:1", false), ("[::]:1", false), ("[::2]:1", false), ("[1::1]:1", false),
        ]
    )
    func loopback(text: String, expected: Bool) {
        #expect(ListenAddress(text)?.host.isLoopback == expected)
    }
}
