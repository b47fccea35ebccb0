import Basics
import Testing

@testable import Events

private func decoded(
    _ json: String,
    _ extraction: Extraction = Extraction(),
    source: ArrivalSource = .replay
) -> Decoded? {
    decodeOne(json, extraction, source: source)?.decoded
}

private func event(_ members: String) -> String {
    "{\"user_id\":\"a\",\"event_type\":\"x\",\"time\":1,\(members)}"
}

@Suite("The fields of an event")
struct EventFieldTests {
    @Test("Ids are text or the digits of an integer; empty and null are absent")
    func ids() {
        func ids(_ members: String) -> [String?] {
            let event = decoded("{\(members),\"event_type\":\"x\",\"time\":1}")
            return [event?.user, event?.owner, event?.insertID]
        }
        #expect(ids(#""user_id":"u","device_id":"d","insert_id":"i""#) == ["u", "d", "i"])
        #expect(ids(#""user_id":"u""#) == ["u", "u", ""])
        #expect(ids(#""user_id":"","device_id":"d""#) == ["device:d", "d", ""])
        #expect(ids(#""user_id":null,"device_id":7,"insert_id":7"#) == ["device:7", "7", "7"])
        #expect(ids(#""user_id":-0,"device_id":"","insert_id":null"#) == ["-0", "-0", ""])
        #expect(
            ids(#""user_id":123456789012345678901234567890"#)[0] == "123456789012345678901234567890"
        )
        #expect(
            ids(#""user_id":"\u0041\n\"\\\/\b\f\r\t\u00e9\u20ac\ud83d\ude00""#)[0]
                == "A\n\"\\/\u{8}\u{c}\r\té€😀"
        )
        #expect(ids(#""user_id":"device:d","device_id":"e""#) == ["device:d", "e", ""])
        #expect(ids(#""user_id":"a\u0000b""#)[0] == "a\0b")
    }

    @Test("$identify is told apart, and only whole")
    func kinds() {
        func kind(_ type: String) -> String? {
            decoded("{\"user_id\":\"a\",\"event_type\":\"\(type)\",\"time\":1}")?.kind
        }
        #expect(kind("$identify") == "identify")
        #expect(kind("$identif\\u0079") == "identify")
        #expect(kind("$identify ") == "event")
        #expect(kind("$IDENTIFY") == "event")
        #expect(kind("*") == "event")
    }

    @Test("Replay's arrival is server_received_time, else time, and never before the line above")
    func arrival() {
        var decoder = EventDecoder(extraction: Extraction(), eventBytesMax: 1000, futureMax: 1000)
        func arrival(_ members: String, after previous: Int64?) -> [Int64]? {
            let json = Array("{\"user_id\":\"a\",\"event_type\":\"x\",\(members)}".utf8)
            return json.withByteView { bytes in
                _ = decoder.begin(bytes, source: .replay)
                let outcome = decoder.next(
                    previousArrival: previous.map { EventTime(milliseconds: $0) }
                )
                guard case .event(let view) = outcome else { return nil }
                return [view.time.milliseconds, view.arrival.milliseconds]
            }
        }
        #expect(arrival("\"time\":5", after: nil) == [5, 5])
        #expect(arrival("\"time\":5", after: 9) == [5, 9])
        #expect(arrival("\"time\":5", after: -9) == [5, 5])
        #expect(arrival("\"time\":5,\"server_received_time\":7", after: 6) == [5, 7])
        #expect(arrival("\"time\":5,\"server_received_time\":null", after: nil) == [5, 5])
        #expect(arrival("\"server_received_time\":7", after: 9) == [9, 9])
        #expect(
            arrival("\"server_received_time\":\"1970-01-01 00:00:00.0079\"", after: nil) == [7, 7]
        )
        #expect(
            arrival("\"server_received_time\":\"1970-01-01T00:00:00.0079Z\"", after: nil) == [7, 7]
        )
        // Ahead of its own arrival, but not of the line above.
        #expect(arrival("\"time\":1008,\"server_received_time\":7", after: nil) == nil)
        #expect(arrival("\"time\":1008,\"server_received_time\":7", after: 8) == [1008, 8])
    }

    @Test("In the log the timestamp is the arrival, and server_received_time is not read")
    func logArrival() {
        let json = event(#""server_received_time":{"a":"nonsense"}"#)
        let seen = decoded(json, source: .log(EventTime(milliseconds: 9)))
        #expect(seen?.time == 1)
        #expect(seen?.arrival == 9)
        #expect(decoded(json, source: .log(nil))?.arrival == 1)
    }
}

@Suite("Batches")
struct BatchTests {
    private let good = #"{"user_id":"u","event_type":"x","time":1}"#

    @Test("Elements are events of their own, good ones beside bad ones")
    func elements() {
        let json = """
            {"user_id":[],"events": [ \(good) , 5, {"user_id":"v","event_type":"y","time":2,"events":[1]},
            {"event_type":"$groupidentify","time":3}, {"time":4}, [] ,{"user_id":"w\\n","event_type":"z"} ],"event_type":7}
            """
        let seen = decode(json)
        #expect(
            seen.map { $0.reason } == [
                nil, .notObject, nil, nil, .missingEventType, .notObject, .badTime,
            ]
        )
        #expect(seen[0].decoded?.user == "u")
        #expect(seen[2].decoded?.type == "y")
        #expect(seen[3] == .filtered(3))
    }

    @Test("Indices and bytes are those of the elements")
    func places() {
        let json = Array(#"{"events": [ {"a" : 1} , "x\"y" ,12 ]}"#.utf8)
        var decoder = EventDecoder(extraction: Extraction(), eventBytesMax: 1000, futureMax: 0)
        json.withByteView { bytes in
            #expect(decoder.begin(bytes, source: .replay) == .events(3))
            #expect(decoder.isBatch == true)
            for (index, expected) in ["{\"a\" : 1}", "\"x\\\"y\"", "12"].enumerated() {
                #expect(decoder.next(previousArrival: nil) != nil)
                #expect(decoder.elementIndex == index)
                #expect(decoder.elementBytes.string == expected)
            }
            #expect(decoder.next(previousArrival: nil) == nil)
            #expect(decoder.next(previousArrival: nil) == nil)
        }
        let single = Array(good.utf8)
        single.withByteView { bytes in
            #expect(decoder.begin(bytes, source: .replay) == .events(1))
            #expect(decoder.isBatch == false)
            #expect(decoder.next(previousArrival: nil) != nil)
            #expect(decoder.elementIndex == 0)
            #expect(decoder.elementBytes.equals(bytes))
        }
    }

    @Test(
        "events null is no batch; events of another kind is not_object, whatever else the record holds"
    )
    func eventsOfOtherKinds() {
        #expect(
            decode(#"{"user_id":"u","event_type":"x","time":1,"events":null}"#)[0].decoded?.user
                == "u"
        )
        for other in ["5", "\"x\"", "true", "false", "{}", "{\"a\":1}"] {
            #expect(
                decode("{\"user_id\":\"u\",\"event_type\":\"x\",\"time\":1,\"events\":\(other)}")
                    == [.rejected(.notObject)]
            )
        }
        #expect(decode(#"{"user_id":[],"events":[]}"#).isEmpty)
        #expect(decode(#"{"events":[\#(good),{"a":1,"\u0061":2}]}"#) == [.rejected(.duplicateKey)])
        #expect(decode(#"{"events":[\#(good),{"a":01}]}"#) == [.rejected(.notJSON)])
        #expect(decode(#"{"events":[\#(good)],"events":[\#(good)]}"#) == [.rejected(.duplicateKey)])
    }

    @Test("What one element carries is not seen in the next")
    func separation() {
        let json = #"""
            {"events":[{"user_id":"u","event_type":"x","time":1,"insert_id":"i","country":"DE",
            "event_properties":{"p":1,"q":{"r":2}},"user_properties":{"k":"\u0041","$set":{"s":1},"$add":{"n":1},"$append":7}},
            {"user_id":"v","event_type":"y","time":2}]}
            """#
        let extraction = Extraction(
            eventProperties: ["p", "q.r", "price"],
            userProperties: ["k", "s", "country"]
        )
        let seen = decode(json, extraction).map { $0.decoded }
        #expect(seen[0]?.event == ["1", "2", "-"])
        #expect(seen[0]?.userProperties == ["\"A\"", "1", "\"DE\""])
        #expect(seen[0]?.assignments == ["k=\"A\"", "s=1", "add n=1", "sent country=\"DE\""])
        #expect(seen[0]?.ignored == 1)
        #expect(seen[1]?.event == ["-", "-", "-"])
        #expect(seen[1]?.userProperties == ["-", "-", "-"])
        #expect(seen[1]?.assignments == [])
        #expect(seen[1]?.ignored == 0)
        #expect(seen[1]?.insertID == "")
        #expect(seen[1]?.owner == "v")
    }
}

@Suite("What is picked out of an event")
struct ExtractionTests {
    @Test(
        "Values are encoded as they are written: integers exact, other numbers the nearest double, −0 as 0"
    )
    func values() {
        let cases = [
            ("null", "null"), ("true", "true"), ("false", "false"), ("0", "0"), ("-0", "0"),
            ("-0.0", "0.0"),
            ("5", "5"), ("5.0", "5.0"), ("1E+2", "100.0"), ("1e2", "100.0"), ("0.1e-400", "0.0"),
            ("-1e-400", "0.0"),
            ("5e-324", "5e-324"), ("9223372036854775807", "9223372036854775807"),
            ("-9223372036854775808", "-9223372036854775808"),
            ("9223372036854775808", "9.223372036854775808e+18"),
            ("-9223372036854775809", "-9.223372036854775808e+18"),
            ("1.7976931348623157e308", "1.7976931348623157e+308"),
            ("0.30000000000000004", "0.30000000000000004"),
            ("123456789012345678901", "1.2345678901234568e+20"),
            ("\"\"", "\"\""), ("\"a\\u0062\"", "\"ab\""), ("[]", "[]"), ("{}", "{}"),
            ("[1,[2,{\"a\":null}],\"x\"]", "[1,[2,{a:null}],\"x\"]"),
            ("{\"b\":1,\"a\":[]}", "{b:1,a:[]}"),
        ]
        for (json, expected) in cases {
            let seen = decoded(
                event("\"event_properties\":{\"p\":\(json)}"),
                Extraction(eventProperties: ["p"])
            )
            guard let value = seen?.event.first else {
                Issue.record("\(json) was not taken")
                continue
            }
            if let number = Double(expected), !expected.allSatisfy({ $0.isNumber || $0 == "-" }) {
                #expect(Double(value) == number, "\(json) is \(value)")
            } else {
                #expect(value == expected)
            }
        }
    }

    @Test(
        "A name is taken as it stands, then as a path; a null falls through, and paths do not enter arrays"
    )
    func paths() {
        let extraction = Extraction(eventProperties: ["a.b", "a", "a.b.c", "x..y", "."])
        func seen(_ properties: String) -> [String]? {
            decoded(event("\"event_properties\":\(properties)"), extraction)?.event
        }
        #expect(seen(#"{"a.b":1,"a":{"b":2}}"#) == ["1", "{b:2}", "-", "-", "-"])
        #expect(seen(#"{"a":{"b":2},"a.b":null}"#) == ["2", "{b:2}", "-", "-", "-"])
        #expect(seen(#"{"a.b":null}"#) == ["null", "-", "-", "-", "-"])
        #expect(seen(#"{"a":[{"b":2}]}"#)?[0] == "-")
        #expect(seen(#"{"a":{"b":{"c":3}}}"#) == ["{c:3}", "{b:{c:3}}", "3", "-", "-"])
        #expect(seen(#"{"a":{"b.c":3}}"#)?[2] == "-")
        #expect(seen(#"{"x":{"":{"y":4}},"":{"":5}}"#) == ["-", "-", "-", "4", "5"])
        #expect(seen(#"{"a":"text"}"#)?[0] == "-")
    }

    @Test(
        "Event properties come before the event's own top level, whichever stands first; null falls through"
    )
    func topLevel() {
        let extraction = Extraction(eventProperties: ["price", "revenue", "other", "platform"])
        func seen(_ members: String) -> [String]? { decoded(event(members), extraction)?.event }
        #expect(seen(#""price":1,"other":2,"platform":"iOS""#) == ["1", "-", "-", "-"])
        #expect(seen(#""price":1,"event_properties":{"price":2}"#) == ["2", "-", "-", "-"])
        #expect(
            seen(#""event_properties":{"price":null,"revenue":null},"price":1"#) == [
                "1", "null", "-", "-",
            ]
        )
        #expect(seen(#""event_properties":null,"revenue":[1]"#) == ["-", "[1]", "-", "-"])
    }

    @Test(
        "Carried user properties are those of $set, then plain ones, then what is sent; null falls through"
    )
    func carried() {
        let extraction = Extraction(userProperties: ["country", "k", "a.b", "price"])
        func seen(_ members: String) -> [String]? {
            decoded(event(members), extraction)?.userProperties
        }
        #expect(seen(#""country":"DE""#) == ["\"DE\"", "-", "-", "-"])
        #expect(seen(#""country":"DE","user_properties":{"country":"US"}"#)?[0] == "\"US\"")
        #expect(
            seen(#""country":"DE","user_properties":{"country":null,"$set":{"country":null}}"#)?[0]
                == "\"DE\""
        )
        #expect(seen(#""user_properties":{"k":1,"$set":{"k":2}}"#)?[1] == "2")
        #expect(seen(#""user_properties":{"$set":{"k":null},"k":1}"#)?[1] == "1")
        #expect(seen(#""user_properties":{"$add":{"k":2},"$setOnce":{"k":2}}"#)?[1] == "-")
        #expect(seen(#""user_properties":{"a":{"b":1},"$set":{"a.b":null}}"#)?[2] == "1")
        // Plain keys and `$set` are one map before a dotted name is looked up in it.
        #expect(seen(#""user_properties":{"a.b":2,"$set":{"a":{"b":3}}}"#)?[2] == "2")
        #expect(seen(#""user_properties":{"a":{"b":2},"$set":{"a":{"c":3}}}"#)?[2] == "-")
        #expect(seen(#""price":1,"k":1"#) == ["-", "-", "-", "-"])
    }

    @Test("Many assignments of one event are all there")
    func manyAssignments() {
        let members = (0..<500).map { "\"k\($0)\":\($0)" }.joined(separator: ",")
        let seen = decoded(event("\"user_properties\":{\(members)},\"city\":\"Bonn\""))
        #expect(seen?.assignments.count == 501)
        #expect(seen?.assignments[499] == "k499=499")
    }

    @Test("A changed extraction holds from the next record on")
    func changed() {
        var decoder = EventDecoder(
            extraction: Extraction(eventProperties: ["p"]),
            eventBytesMax: 1000,
            futureMax: 0
        )
        let json = Array(event(#""event_properties":{"p":1,"q":2}"#).utf8)
        #expect(outcomes(of: json, &decoder, .replay)[0].decoded?.event == ["1"])
        decoder.setExtraction(Extraction(eventProperties: ["q", "p"]))
        #expect(outcomes(of: json, &decoder, .replay)[0].decoded?.event == ["2", "1"])
    }
}
