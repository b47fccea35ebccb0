import Basics
import Testing

@Suite("Texts and bytes")
struct TextTests {
    @Test("JSON is written without spaces, escaping only what must be")
    func json() {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("a/\u{e9}\u{1f600}", "\"\\\n\r\t\u{0}\u{1f}\u{7f}/")
        writer.member("n", -5)
        writer.member("t", true)
        writer.key("list")
        writer.beginArray()
        writer.null()
        writer.value(0.1)
        writer.value(1e21)
        writer.value(UInt64.max)
        writer.beginObject()
        writer.endObject()
        writer.beginArray()
        writer.endArray()
        writer.raw(Array("{\"raw\":1}".utf8))
        writer.endArray()
        writer.member("last", "")
        writer.endObject()
        writer.newline()
        writer.value("x")
        #expect(
            writer.string
                == "{\"a/\u{e9}\u{1f600}\":\"\\\"\\\\\\n\\r\\t\\u0000\\u001f\u{7f}/\",\"n\":-5,\"t\":true,"
                + "\"list\":[null,0.1,1e+21,18446744073709551615,{},[],{\"raw\":1}],\"last\":\"\"}\n\"x\""
        )
        writer.clear()
        writer.beginArray()
        writer.endArray()
        #expect(writer.string == "[]")
    }

    @Test("Durations are an integer and a unit")
    func durations() {
        let good: [(String, Int64)] = [
            ("0s", 0), ("500ms", 500), ("60s", 60_000), ("5m", 300_000), ("24h", 86_400_000),
            ("7d", 604_800_000), ("2w", 1_209_600_000), ("007s", 7000),
        ]
        for (text, milliseconds) in good {
            #expect(DurationText.milliseconds(text) == milliseconds, "\(text)")
        }
        for text in [
            "", "5", "s", "5 s", "1.5h", "-5s", "5S", "5sec", "9223372036854775807w", "\u{0665}s",
        ] {
            #expect(DurationText.milliseconds(text) == nil, "\(text)")
        }
        for text in ["0s", "500ms", "90s", "5m", "1h", "25h", "1d", "7d"] {
            #expect(
                DurationText.milliseconds(text).map { DurationText.text(milliseconds: $0) } == text
            )
        }
    }

    @Test("Sizes are an integer and a unit, or 0")
    func sizes() {
        let good: [(String, Int64)] = [
            ("0", 0), ("0B", 0), ("1B", 1), ("64KiB", 65536), ("1MiB", 1 << 20), ("3GiB", 3 << 30),
            ("1TiB", 1 << 40),
        ]
        for (text, bytes) in good { #expect(SizeText.bytes(text) == bytes, "\(text)") }
        for text in ["", "5", "MiB", "1MB", "1 MiB", "1.5MiB", "-1B", "9999999999999TiB"] {
            #expect(SizeText.bytes(text) == nil, "\(text)")
        }
        for text in ["0", "1B", "1025B", "64KiB", "1MiB", "1GiB"] {
            #expect(SizeText.bytes(text).map { SizeText.text(bytes: $0) } == text)
        }
    }

    @Test("The nearest word is suggested where it is near enough")
    func suggestions() {
        let words = ["event", "events", "where", "where_user", "within_first"]
        #expect(Suggestion.nearest(to: "evnt", among: words) == "event")
        #expect(Suggestion.nearest(to: "eventt", among: words) == "event")
        #expect(Suggestion.nearest(to: "wehre", among: words) == "where")
        #expect(Suggestion.nearest(to: "witin_frist", among: words) == "within_first")
        #expect(Suggestion.nearest(to: "filter", among: words) == nil)
        #expect(Suggestion.nearest(to: "", among: words) == nil)
        #expect(Suggestion.nearest(to: "x", among: []) == nil)
    }

    @Test("What ByteWriter wrote, ByteReader reads; what is cut is an error that says where")
    func bytes() throws {
        var writer = ByteWriter(capacity: 8)
        writer.write(UInt8(1))
        writer.write(Int16(-2))
        writer.write(UInt32(0))
        writer.write(Int64.min)
        writer.write(prefixed: "\u{e9}")
        writer.write(raw: [9, 8])
        writer.patch(0x0403_0201, at: 3)
        #expect(writer.bytes.prefix(7) == [1, 0xfe, 0xff, 1, 2, 3, 4])
        try writer.bytes.withByteView { (view: ByteView) throws(ByteReader.Truncated) in
            var reader = ByteReader(view)
            let numbers: (UInt8, Int16, UInt32, Int64) = (
                try reader.read(), try reader.read(), try reader.read(), try reader.read()
            )
            #expect(numbers == (1, -2, 0x0403_0201, .min))
            let text = try reader.readText()
            let rest = try reader.read(count: 2).array
            #expect(text == "\u{e9}" && rest == [9, 8])
            #expect(reader.atEnd && reader.remaining == 0)
        }
        for count in 0..<writer.count {
            Array(writer.bytes.prefix(count)).withByteView { view in
                var reader = ByteReader(view)
                #expect(throws: ByteReader.Truncated.self) {
                    _ = try reader.read(UInt8.self)
                    _ = try reader.read(Int16.self)
                    _ = try reader.read(UInt32.self)
                    _ = try reader.read(Int64.self)
                    _ = try reader.readPrefixed()
                    _ = try reader.read(count: 2)
                }
            }
        }
        [UInt8](repeating: 0xff, count: 8).withByteView { view in
            var reader = ByteReader(view)
            #expect(throws: ByteReader.Truncated(offset: 4, needed: 4_294_967_295)) {
                try reader.readPrefixed()
            }
            #expect(throws: ByteReader.Truncated.self) { try reader.read(count: -1) }
        }
    }
}
