import Basics
import Testing

@testable import Events

/// A record that is fine but for the members put in front.
private func event(_ members: String) -> String {
    "{\(members)\"event_type\":\"x\",\"time\":1767571200000}"
}

private func reason(_ json: String, source: ArrivalSource = .replay) -> RejectReason? {
    decodeOne(json, source: source)?.reason
}

@Suite("Rejects of whole records")
struct RecordRejectTests {
    @Test(
        "A record longer than the limit is too large, whatever it holds, and one of just that length is not"
    )
    func tooLarge() {
        let json = Array(event("\"user_id\":\"a\",").utf8)
        #expect(decode(json, eventBytesMax: json.count)[0].decoded?.user == "a")
        #expect(decode(json, eventBytesMax: json.count - 1) == [.rejected(.tooLarge)])
        #expect(decode([0xff, 0xff, 0xff], eventBytesMax: 2) == [.rejected(.tooLarge)])
    }

    @Test("Bytes that are not UTF-8 come before anything about JSON")
    func notUTF8() {
        for bad: [UInt8] in [
            [0x80], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82],
            [0xff],
        ] {
            #expect(
                decode(Array("{\"user_id\":\"".utf8) + bad + Array("\"}".utf8)) == [
                    .rejected(.notUTF8)
                ]
            )
            #expect(decode(bad) == [.rejected(.notUTF8)])
            #expect(decode(Array("{{{ \"open".utf8) + bad) == [.rejected(.notUTF8)])
        }
    }

    @Test(
        "What is not exactly one JSON value is not_json",
        arguments: [
            "", " ", "\n\t", "{", "}", "[", "]", "{}{}", "{} x", "[1,]", "[,1]", "[1 2]", "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}", "{,}", "{\"a\" 1}", "{a:1}", "{'a':1}", "{1:2}", "{\"a\":1 \"b\":2}",
            "nul", "nulll",
            "True", "tru", "fals", "falsee", "null1", "truefalse", "\u{feff}{}", "01", "-", "+1",
            "1.", ".5",
            "1e", "1e+", "1.e3", "0x10", "1_000", "NaN", "Infinity", "-Infinity", "1a", "1\"a\"",
            "\"a\"b",
            "\"a\"\"b\"", "\"\\x\"", "\"\\u12\"", "\"\\u123g\"", "\"\\ud800\"", "\"\\ud800x\"",
            "\"\\ud800\\n\"", "\"\\ud800\\ud800\"", "\"\\udc00\"", "\"\\ud83d\\u0041\"", "\"open",
            "\"open\\\"",
            "\"\\", "\"a\nb\"", "\"a\u{1}b\"", "1e400", "-1e400", "1.7976931348623159e308",
            "\u{0}", "{}\u{0}", "\u{a0}{}", "\\", "{\"a\":\\}", "[1]]", "[[1]", "{\"a\":[}",
            "[\"a\":1]",
            "{\"a\":1]", "// {}", "{}//", "1,", ":", ",", "[1:2]", "{\"a\"::1}", "\"\\u00e9\\u\"",
        ]
    )
    func notJSON(_ json: String) {
        #expect(decode(json) == [.rejected(.notJSON)])
        // Inside an otherwise good event, where nobody looks for it.
        #expect(
            decode("{\"user_id\":\"a\",\"event_type\":\"x\",\"time\":1,\"p\":[\(json),0]}")
                == [.rejected(.notJSON)]
        )
    }

    @Test("An integer too long for a double is not_json")
    func hugeInteger() {
        let fits = "1" + String(repeating: "0", count: 308)
        #expect(reason(event("\"user_id\":\"a\",\"p\":\(fits),")) == nil)
        #expect(reason(event("\"user_id\":\"a\",\"p\":\(fits)0,")) == .notJSON)
        #expect(reason(event("\"user_id\":\"a\",\"p\":-\(fits)0,")) == .notJSON)
        #expect(reason(event("\"user_id\":\"a\",\"p\":\(fits)0e-1,")) == nil)
    }

    @Test("Level 64 is the last one; numbers and texts add none")
    func tooDeep() {
        func nested(_ levels: Int, _ inner: String) -> String {
            String(repeating: "[", count: levels) + inner + String(repeating: "]", count: levels)
        }
        #expect(reason(event("\"user_id\":\"a\",\"p\":\(nested(63, "1")),")) == nil)
        #expect(reason(event("\"user_id\":\"a\",\"p\":\(nested(64, ""))\u{2c}")) == .tooDeep)
        #expect(reason(event("\"user_id\":\"a\",\"p\":\(nested(63, "{}"))\u{2c}")) == .tooDeep)
        #expect(decode(nested(64, "")) == [.rejected(.notObject)])
        #expect(decode(nested(65, "")) == [.rejected(.tooDeep)])
        #expect(decode(nested(500_000, "")) == [.rejected(.tooDeep)])
        let objects =
            String(repeating: "{\"a\":", count: 70) + "1" + String(repeating: "}", count: 70)
        #expect(decode(objects) == [.rejected(.tooDeep)])
    }

    @Test("A key twice in one object at any depth is found, escaped or not, few or many")
    func duplicateKey() {
        #expect(reason(#"{"a":1,"a":1}"#) == .duplicateKey)
        #expect(reason(#"{"a":1,"\u0061":1}"#) == .duplicateKey)
        #expect(reason(#"{"é":1,"\u00e9":1}"#) == .duplicateKey)
        #expect(reason(#"{"😀":1,"\ud83d\ude00":1}"#) == .duplicateKey)
        #expect(reason(#"{"":1,"":1}"#) == .duplicateKey)
        #expect(reason(#"[[[{"k":{"a":1,"b":2,"a":3}}]]]"#) == .duplicateKey)
        #expect(reason(#"{"events":[{"a":1},{"a":1,"a":2}]}"#) == .duplicateKey)
        #expect(reason(event(#""user_id":"a","p":{"a":{"a":{"a":1}},"b":{"a":1}},"#)) == nil)
        #expect(
            reason(
                event("\"user_id\":\"a\",\"p\":{\"a\":1,\"A\":1,\"a \":1,\"a\\u0000\":1,\"\":1},")
            ) == nil
        )
        for count in [2, 31, 32, 33, 34, 64, 1000] {
            let keys = (0..<count).map {
                "\"a long key that ends and begins alike \($0) in every case\":0"
            }
            let all = keys.joined(separator: ",")
            #expect(reason(event("\"user_id\":\"a\",\"p\":{\(all)},")) == nil, "\(count) keys")
            #expect(
                reason(event("\"user_id\":\"a\",\"p\":{\(all),\(keys[count / 2])},"))
                    == .duplicateKey
            )
            #expect(reason(event("\"user_id\":\"a\",\"p\":{\(keys[0]),\(all)},")) == .duplicateKey)
        }
    }

    @Test(
        "The first reason in the list wins: not_json over too_deep over duplicate_key over not_object"
    )
    func precedence() {
        let deep = String(repeating: "[", count: 70)
        let shallow = String(repeating: "]", count: 70)
        #expect(reason("[{\"a\":1,\"a\":2},\(deep)1\(shallow)]") == .tooDeep)
        #expect(reason("[\(deep)1\(shallow),{\"a\":1,\"a\":2}]") == .tooDeep)
        #expect(reason("[\(deep)1\(shallow),{\"a\":1,\"a\":2}],") == .notJSON)
        #expect(reason("[\(deep)01\(shallow)]") == .notJSON)
        #expect(reason("[\(deep)\"\\ud800\"\(shallow)]") == .notJSON)
        #expect(reason("[\(deep){\"a\":[],\"b\":{}}\(shallow)]") == .tooDeep)
        #expect(reason("[\(deep){\"a\":[],\"b\"}\(shallow)]") == .notJSON)
        #expect(reason("[\(deep)1\(shallow)") == .notJSON)
        #expect(reason("{\"a\":1,\"a\":2,\"b\":1e999}") == .notJSON)
        #expect(reason("[{\"a\":1,\"a\":2}]") == .duplicateKey)
        #expect(decode(Array("{\"a\":1,\"a\":2}".utf8) + [0xff]) == [.rejected(.notUTF8)])
    }

    @Test(
        "Tens of thousands of keys in one object take no quadratic time, even when they are made to collide"
    )
    func manyKeys() {
        // The same eight bytes in front and behind, and the same length: the same hash.
        let keys = (100_000..<130_000).map { "\"same___>\($0)<___same\":0" }
        let json = event("\"user_id\":\"a\",\"p\":{\(keys.joined(separator: ","))},")
        #expect(reason(json) == nil)
        let twice = event("\"user_id\":\"a\",\"p\":{\((keys + [keys[7]]).joined(separator: ","))},")
        #expect(reason(twice) == .duplicateKey)
    }

    @Test(
        "A record that is no object is not_object",
        arguments: ["[]", "1", "\"a\"", "true", "null", "[{}]", " 1.5e3 "]
    )
    func notObject(_ json: String) {
        #expect(decode(json) == [.rejected(.notObject)])
    }
}

@Suite("Rejects of one event")
struct EventRejectTests {
    @Test(
        "A field of the wrong kind is bad_type",
        arguments: [
            #""user_id":true,"#, #""user_id":1.5,"#, #""user_id":1.0,"#, #""user_id":1e3,"#,
            #""user_id":[],"#,
            #""user_id":{},"#, #""user_id":-0.0,"#, #""user_id":"a","device_id":false,"#,
            #""user_id":"a","device_id":[1],"#, #""user_id":"a","insert_id":1.5,"#,
            #""user_id":"a","insert_id":{},"#, #""user_id":"a","insert_id":true,"#,
            #""user_id":"a","event_properties":[],"#, #""user_id":"a","event_properties":"x","#,
            #""user_id":"a","event_properties":0,"#, #""user_id":"a","user_properties":[],"#,
            #""user_id":"a","user_properties":true,"#,
        ]
    )
    func badType(_ members: String) {
        #expect(reason(event(members)) == .badType)
    }

    @Test("Ids and event types have 1,024 bytes at most")
    func lengths() {
        let most = String(repeating: "k", count: 1024)
        let digits = String(repeating: "7", count: 300)
        #expect(decodeOne(event("\"user_id\":\"\(most)\","))?.decoded?.user == most)
        #expect(reason(event("\"user_id\":\"\(most)k\",")) == .badType)
        #expect(decodeOne(event("\"device_id\":\"\(most)\","))?.decoded?.user == "device:" + most)
        #expect(reason(event("\"device_id\":\"\(most)k\",")) == .badType)
        #expect(decodeOne(event("\"user_id\":\(digits),"))?.decoded?.user == digits)
        #expect(reason(#"{"user_id":"a","event_type":"\#(most)","time":1}"#) == nil)
        #expect(reason(#"{"user_id":"a","event_type":"\#(most)k","time":1}"#) == .badType)
        #expect(
            decodeOne(event("\"user_id\":\"a\",\"insert_id\":\"\(most)\(most)\","))?.decoded?
                .insertID.count == 2048
        )
    }

    @Test("event_type must be text, and there")
    func eventType() {
        #expect(reason(#"{"user_id":"a","event_type":5,"time":1}"#) == .badType)
        #expect(reason(#"{"user_id":"a","event_type":["x"],"time":1}"#) == .badType)
        #expect(reason(#"{"user_id":"a","event_type":"","time":1}"#) == .missingEventType)
        #expect(reason(#"{"user_id":"a","event_type":null,"time":1}"#) == .missingEventType)
        #expect(reason(#"{"user_id":"a","time":1}"#) == .missingEventType)
    }

    @Test("An event needs a user or a device")
    func missingID() {
        #expect(reason(event("")) == .missingID)
        #expect(reason(event(#""user_id":"","device_id":null,"#)) == .missingID)
        #expect(decodeOne(event(#""user_id":0,"#))?.decoded?.user == "0")
    }

    @Test(
        "What is no instant in the years 0001 to 9999 is bad_time",
        arguments: [
            "1.5", "true", "[]", "{}", "\"\"", "\"1767571200000\"", "\"2026-01-05\"",
            "\"2026-01-05 10:00:00\"",
            "\"2026-01-05T10:00:00\"", "\"2026-01-05T10:00:60Z\"", "\"2026-02-29T00:00:00Z\"",
            "253402300800000",
            "-62135596800001", "99999999999999999999", "1e300", "-1e300",
            "\"0000-12-31T23:59:59Z\"",
            "\"0001-01-01T00:00:00+00:01\"", "\"9999-12-31T23:59:59-00:01\"",
        ]
    )
    func badTime(_ time: String) {
        #expect(reason("{\"user_id\":\"a\",\"event_type\":\"x\",\"time\":\(time)}") == .badTime)
        let received =
            "{\"user_id\":\"a\",\"event_type\":\"x\",\"time\":1,\"server_received_time\":\(time)}"
        guard time != "\"2026-01-05 10:00:00\"" else { return }
        #expect(reason(received) == .badTime)
        // The daemon does not read it.
        #expect(
            decodeOne(received, source: .log(EventTime(milliseconds: 5)))?.decoded?.arrival == 5
        )
    }

    @Test(
        "What is an instant is taken to the millisecond",
        arguments: [
            ("1500", 1500), ("1.5e3", 1500), ("1500.0", 1500), ("-0", 0), ("-0.0", 0),
            ("15E2", 1500),
            ("-62135596800000", -62_135_596_800_000), ("253402300799999", 253_402_300_799_999),
            ("\"1970-01-01T00:00:01.5009Z\"", 1500), ("\"1970-01-01t01:00:00+01:00\"", 0),
            ("\"1969-12-31T23:59:59.9999Z\"", -1),
        ] as [(String, Int64)]
    )
    func goodTime(_ time: String, _ expected: Int64) {
        let decoded = decodeOne("{\"user_id\":\"a\",\"event_type\":\"x\",\"time\":\(time)}")?
            .decoded
        #expect(decoded?.time == expected)
        #expect(decoded?.arrival == expected)
    }

    @Test("An event without time takes its arrival; without both it is bad_time")
    func noTime() {
        let bare = #"{"user_id":"a","event_type":"x"}"#
        #expect(reason(bare) == .badTime)
        #expect(reason(bare, source: .log(nil)) == .badTime)
        #expect(decodeOne(bare, source: .log(EventTime(milliseconds: 7)))?.decoded?.time == 7)
        let received = #"{"user_id":"a","event_type":"x","time":null,"server_received_time":7}"#
        #expect(decodeOne(received)?.decoded?.time == 7)
        #expect(reason(received, source: .log(nil)) == .badTime)
    }

    @Test("A timestamp of the log that is no instant counts as none")
    func wildTimestamp() {
        for stamp in [Int64.max, .min, 253_402_300_800_000, -62_135_596_800_001] {
            let source = ArrivalSource.log(EventTime(milliseconds: stamp))
            #expect(reason(#"{"user_id":"a","event_type":"x"}"#, source: source) == .badTime)
            #expect(
                decodeOne(event(#""user_id":"a","#), source: source)?.decoded?.arrival
                    == 1_767_571_200_000
            )
        }
    }

    @Test("An event further ahead of its arrival than the limit is future, in its millisecond")
    func future() {
        let week: Int64 = 7 * 86_400_000
        func at(_ time: Int64) -> RejectReason? {
            reason(
                "{\"user_id\":\"a\",\"event_type\":\"x\",\"time\":\(time)}",
                source: .log(EventTime(milliseconds: 0))
            )
        }
        #expect(at(week) == nil)
        #expect(at(week + 1) == .future)
        #expect(at(-1_000_000 * week / 100) == nil)
        #expect(
            reason(#"{"user_id":"a","event_type":"x","time":604800001,"server_received_time":0}"#)
                == .future
        )
    }

    @Test("Reasons of one event come in the order of the list")
    func precedence() {
        #expect(reason(#"{"user_id":true}"#) == .badType)
        #expect(reason(#"{"user_id":"a","event_properties":1}"#) == .badType)
        #expect(reason(#"{"time":"x"}"#) == .missingEventType)
        #expect(reason(#"{"event_type":"x","time":"x"}"#) == .missingID)
        #expect(reason(#"{"event_type":"x","user_id":1,"time":"x"}"#) == .badTime)
        #expect(
            reason(#"{"event_type":"x","user_id":1,"time":604800001,"server_received_time":"x"}"#)
                == .badTime
        )
        #expect(decodeOne(#"{"event_type":"$groupidentify","time":"x"}"#) == .filtered(nil))
        #expect(reason(#"{"event_type":"$groupidentify","user_id":[]}"#) == .badType)
        #expect(decodeOne(#"{"event_type":"$groupidentify","time":5}"#) == .filtered(5))
        #expect(decodeOne(#"{"event_type":"$groupidentify"}"#, source: .log(nil)) == .filtered(nil))
    }

    @Test("Every reason comes with a text that names the field or the place")
    func texts() {
        var decoder = EventDecoder(extraction: Extraction(), eventBytesMax: 300, futureMax: 10)
        for (json, expected) in [
            (String(repeating: " ", count: 301), "301 bytes"), ("{\"a\":01}", "byte 5"),
            ("{\"k\":1,\"k\":1}", "`k`"),
            (String(repeating: "[", count: 70) + String(repeating: "]", count: 70), "64"),
            ("[]", "object"),
            ("{\"events\":5}", "`events`"), ("{\"events\":[5]}", "element"),
            ("{\"user_id\":[]}", "`user_id`"),
            ("{}", "`event_type`"), ("{\"event_type\":\"x\"}", "`user_id`"),
            ("{\"event_type\":\"x\",\"user_id\":1,\"time\":[]}", "`time`"),
            ("{\"event_type\":\"x\",\"user_id\":1}", "no `time`"),
            (
                "{\"event_type\":\"x\",\"user_id\":1,\"time\":11,\"server_received_time\":0}",
                "11 ms ahead"
            ),
        ] {
            let seen = outcomes(of: Array(json.utf8), &decoder, .replay)
            #expect(seen.last?.reason != nil, "\(json)")
            let text = decoder.rejectText
            #expect(text.contains(expected), "\(json): \(text)")
        }
    }
}
