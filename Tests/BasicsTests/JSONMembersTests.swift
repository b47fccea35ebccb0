import Basics
import Testing

@Suite("Members of JSON objects")
struct JSONMembersTests {
    private func members(_ text: String) -> [String] {
        text.withByteView { view in
            var members = JSONMembers(view)
            var seen: [String] = []
            while let (name, value) = members.next() {
                seen.append("\(name.string)=\(value.string)")
            }
            return seen
        }
    }

    @Test("names and values come as they stand, whatever is nested in them")
    func order() {
        #expect(members("{}").isEmpty)
        #expect(
            members(#"{"a":1,"b":"x,}\"","c":[1,{"d":"]"}],"e":{"f":{}},"g\n":null,"h":true}"#)
                == [
                    "a=1", #"b="x,}\"""#, #"c=[1,{"d":"]"}]"#, #"e={"f":{}}"#, #"g\n=null"#,
                    "h=true",
                ]
        )
        #expect(members(" { \"a\" : 1 , \"b\" : -2.5e3 } ") == ["a=1", "b=-2.5e3"])
    }

    @Test("text cut at any place ends early and does not trap")
    func cut() {
        let text = #"{"a":"\u00e9\\","b":[1,{"c":2}],"d":-1}"#
        let whole = members(text)
        #expect(whole.count == 3)
        for count in 0..<text.utf8.count {
            // A number may lose digits; what is before the cut is the same.
            let part = members(String(text.prefix(count)))
            #expect(part.dropLast() == whole.prefix(part.count).dropLast(), "\(count)")
        }
    }

    @Test("escapes are undone, pairs of surrogates included; half a pair is U+FFFD")
    func unescape() {
        let cases = [
            #"plain ü"#: "plain ü", #"\"\\\/\n\r\t\b\f"#: "\"\\/\n\r\t\u{8}\u{c}",
            #"\u00e9\u001F\u20ac"#: "é\u{1f}€", #"\ud83d\ude00"#: "😀", #"\ud83dx"#: "\u{fffd}x",
            #"\ude00"#: "\u{fffd}", #"\u00"#: "\0",
        ]
        for (escaped, meant) in cases {
            var bytes: [UInt8] = []
            escaped.withByteView { JSONMembers.appendUnescaped($0, to: &bytes) }
            #expect(String(decoding: bytes, as: UTF8.self) == meant, "\(escaped)")
        }
    }
}
