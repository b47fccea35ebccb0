import Basics
import Testing

@Suite("Retry-After")
struct RetryAfterTests {
    /// 1994-11-06T08:49:37Z is the example of RFC 9110 §5.6.7.
    static let now = EventTime(milliseconds: 784_111_777_000 - 120_000)

    @Test(
        "seconds and the three forms of HTTP dates are read",
        arguments: [
            ("120", 120_000), ("0", 0), (" 7\t", 7000), ("007", 7000),
            ("315360000", 315_360_000_000), ("99999999999999999999", 4_294_967_295_000),
            ("Sun, 06 Nov 1994 08:49:37 GMT", 120_000),
            ("Sunday, 06-Nov-94 08:49:37 GMT", 120_000),
            ("Sun Nov  6 08:49:37 1994", 120_000),
            ("Sun, 06 Nov 1994 08:00:00 GMT", 0),
        ] as [(String, Int64)]
    )
    func read(_ text: String, _ expected: Int64) {
        #expect(RetryAfter.milliseconds(text, now: Self.now) == expected)
    }

    @Test(
        "garbage is as good as nothing",
        arguments: [
            "", " ", "-1", "+1", "1.5", "1e3", "0x10", "12 s", "soon", "10:00", "Sun", "Mon:::",
            "1994-11-06T08:49:37Z", "Sun, 99 Nov 1994 08:49:37 GMT",
            "Sun, 06 Foo 1994 08:49:37 GMT",
            "\u{661}", String(repeating: "1", count: 65),
        ]
    )
    func garbage(_ text: String) {
        #expect(RetryAfter.milliseconds(text, now: Self.now) == nil)
    }
}
