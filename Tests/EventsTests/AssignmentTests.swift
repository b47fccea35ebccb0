import Basics
import Testing

@testable import Events

private func decoded(_ members: String, type: String = "x") -> Decoded? {
    decodeOne("{\"user_id\":\"a\",\"event_type\":\"\(type)\",\"time\":1,\(members)}")?.decoded
}

private func assigned(_ properties: String) -> [String]? {
    decoded("\"user_properties\":\(properties)")?.assignments
}

@Suite("What an event does to its user")
struct AssignmentTests {
    @Test("Operations come in the order in which they are applied, whichever stands first")
    func order() {
        let seen = decoded(
            #"""
            "city":"Bonn","user_properties":{"$remove":{"g":1},"$postInsert":{"f":[2]},"$preInsert":{"e":3},
            "$prepend":{"d":4},"$append":{"c":{"x":[5]}},"$add":{"b":6,"a":7},"$set":{"s":8},"p":9,
            "$setOnce":{"o":10,"k":11},"$unset":{"u":12,"v":null},"$clearAll":"-"},"platform":"iOS"
            """#
        )
        #expect(
            seen?.assignments == [
                "clearAll =null", "unset u=null", "unset v=null", "setOnce o=10", "setOnce k=11",
                "p=9", "s=8",
                "add b=6", "add a=7", "append c={x:[5]}", "prepend d=4", "preInsert e=3",
                "postInsert f=[2]",
                "remove g=1", "sent city=\"Bonn\"", "sent platform=\"iOS\"",
            ]
        )
        #expect(seen?.ignored == 0)
    }

    @Test("Plain keys and those of $set may be null, and other names with a $ are properties")
    func plain() {
        let seen = decoded(
            #"""
            "language":null,"user_properties":{"$set":{"a":1,"n":null,"$add":3},"a":2,"$foo":4,"b":null,"":5,
            "o":{"p":[1]},"$SET":6,"set":7}
            """#
        )
        #expect(
            seen?.assignments == [
                "a=2", "$foo=4", "b=null", "=5", "o={p:[1]}", "$SET=6", "set=7", "a=1", "n=null",
                "$add=3",
            ]
        )
        #expect(seen?.ignored == 0)
        #expect(decoded(#""user_properties":null"#)?.assignments == [])
    }

    @Test("An operation whose value is no map is ignored and counted, and the others are not")
    func noMap() {
        let operations = [
            "$set", "$setOnce", "$add", "$append", "$prepend", "$preInsert", "$postInsert",
            "$remove", "$unset",
        ]
        for operation in operations {
            for value in ["null", "5", "true", "\"k\"", "[]", "[\"k\"]", "[{\"k\":1}]"] {
                if operation == "$unset", value.hasPrefix("[") { continue }
                let seen = decoded(
                    "\"user_properties\":{\"k\":1,\"\(operation)\":\(value),\"$add\\u0020\":2}"
                )
                #expect(seen?.assignments == ["k=1", "$add =2"], "\(operation) \(value)")
                #expect(seen?.ignored == 1, "\(operation) \(value)")
            }
            let seen = decoded("\"user_properties\":{\"\(operation)\":{}}")
            #expect(seen?.assignments == [])
            #expect(seen?.ignored == 0)
        }
    }

    @Test("$clearAll takes any value")
    func clearAll() {
        for value in ["null", "\"-\"", "{}", "{\"k\":1}", "[\"k\"]", "false", "0"] {
            let seen = decoded("\"user_properties\":{\"$clearAll\":\(value),\"k\":1}")
            #expect(seen?.assignments == ["clearAll =null", "k=1"])
            #expect(seen?.ignored == 0)
        }
    }

    @Test("$unset takes a map or a list of names; what is no text in a list is counted")
    func unset() {
        #expect(
            assigned(#"{"$unset":["j","\u006b","","j"]}"#) == [
                "unset j=null", "unset k=null", "unset =null", "unset j=null",
            ]
        )
        let mixed = decoded(#""user_properties":{"$unset":["a",5,null,["b"],{"c":1},"d"]}"#)
        #expect(mixed?.assignments == ["unset a=null", "unset d=null"])
        #expect(mixed?.ignored == 4)
        #expect(
            assigned(#"{"$unset":{"a":{"b":[1]},"c":null}}"#) == ["unset a=null", "unset c=null"]
        )
        #expect(assigned(#"{"$unset":[]}"#) == [])
    }

    @Test("A null of $setOnce says nothing, and is counted; the six operations get it as it is")
    func nulls() {
        let seen = decoded(
            #""user_properties":{"$setOnce":{"a":null,"b":1,"c":null},"$add":{"d":null},"$append":{"e":null}}"#
        )
        #expect(seen?.assignments == ["setOnce b=1", "add d=null", "append e=null"])
        #expect(seen?.ignored == 2)
    }

    @Test("Lists of names are walked as strictly as everything else")
    func strictness() {
        for (value, reason) in [
            ("[\"a\"", RejectReason.notJSON), ("[\"a\" \"b\"]", .notJSON), ("[\"a\",]", .notJSON),
            ("[,]", .notJSON),
            ("[\"\\x\"]", .notJSON), ("[1e999]", .notJSON), ("[{\"a\":1,\"a\":2}]", .duplicateKey),
            (String(repeating: "[", count: 62) + String(repeating: "]", count: 62), nil),
            (String(repeating: "[", count: 63) + String(repeating: "]", count: 63), .tooDeep),
        ] as [(String, RejectReason?)] {
            let json =
                "{\"user_id\":\"a\",\"event_type\":\"x\",\"time\":1,\"user_properties\":{\"$unset\":\(value)}}"
            #expect(decodeOne(json)?.reason == reason, "\(value)")
        }
    }

    @Test("$identify carries user properties like any event")
    func identify() {
        let json = """
            {"user_id":"a","event_type":"$identify","time":1,"country":"DE","user_properties":\
            {"k":1,"$set":{"s":2},"$setOnce":{"o":3}}}
            """
        let seen = decodeOne(json, Extraction(userProperties: ["k", "s", "o", "country"]))?.decoded
        #expect(seen?.kind == "identify")
        #expect(seen?.userProperties == ["1", "2", "-", "\"DE\""])
    }

    @Test("Operations of one event are not seen in the next")
    func separation() {
        let json = """
            {"events":[{"user_id":"u","event_type":"x","time":1,"user_properties":{"$add":{"a":1},"$unset":["b"]}},
            {"user_id":"u","event_type":"x","time":1,"user_properties":{"k":1}},
            {"user_id":"u","event_type":"x","time":1,"user_properties":{"$add":{"c":1}}}]}
            """
        let seen = decode(json).map { $0.decoded?.assignments }
        #expect(seen == [["unset b=null", "add a=1"], ["k=1"], ["add c=1"]])
    }
}

@Suite("Amplitude's export form")
struct ExportFormTests {
    private func seen(_ members: String, source: ArrivalSource = .replay) -> Outcome? {
        decodeOne("{\"user_id\":\"a\",\"event_type\":\"x\",\(members)}", source: source)
    }

    @Test("event_time is taken where time is absent or null, and not looked at elsewhere")
    func eventTime() {
        func time(_ members: String) -> Int64? { seen(members)?.decoded?.time }
        #expect(time(#""event_time":"1970-01-01 00:00:01.234567""#) == 1234)
        #expect(time(#""event_time":"1970-01-01 00:00:01""#) == 1000)
        #expect(time(#""event_time":"1970-01-01T01:00:01+01:00","time":null"#) == 1000)
        #expect(time(#""event_time":7"#) == 7)
        #expect(time(#""time":5,"event_time":"1970-01-01 00:00:01""#) == 5)
        #expect(time(#""event_time":"nonsense","time":5"#) == 5)
        #expect(time(#""event_time":[],"time":5"#) == 5)
        #expect(time(#""event_time":null,"server_received_time":9"#) == 9)
    }

    @Test("It is refused like time, and time itself takes no blank form")
    func badEventTime() {
        for value in [
            "\"nonsense\"", "\"1970-01-01\"", "\"1970-01-01 00:00:60\"", "1.5", "true", "[]", "{}",
            "1e20", "\"\"",
        ] {
            #expect(seen("\"event_time\":\(value)") == .rejected(.badTime), "\(value)")
            #expect(
                seen("\"event_time\":\(value),\"server_received_time\":9") == .rejected(.badTime)
            )
        }
        #expect(seen(#""time":"1970-01-01 00:00:01""#) == .rejected(.badTime))
        #expect(seen(#""event_time":null"#) == .rejected(.badTime))
        var decoder = EventDecoder(extraction: Extraction(), eventBytesMax: 1000, futureMax: 1000)
        let json = Array(#"{"user_id":"a","event_type":"x","event_time":"nonsense"}"#.utf8)
        #expect(outcomes(of: json, &decoder, .replay) == [.rejected(.badTime)])
        #expect(decoder.rejectText.hasPrefix("`event_time` must be"))
    }

    @Test("It is an arrival in replay, also of what is filtered, and is held against future_max")
    func arrival() {
        #expect(seen(#""event_time":"1970-01-01 00:00:01""#)?.decoded?.arrival == 1000)
        let group = #"{"event_type":"$groupidentify","event_time":"1970-01-01 00:00:01"}"#
        #expect(decodeOne(group) == .filtered(1000))
        let ahead = #""event_time":"1970-02-01 00:00:01""#
        #expect(seen(ahead, source: .log(EventTime(milliseconds: 0))) == .rejected(.future))
    }

    @Test(
        "$insert_id is taken where insert_id is absent, null or empty, and not looked at elsewhere"
    )
    func insertID() {
        func id(_ members: String) -> String? { seen("\"time\":1,\(members)")?.decoded?.insertID }
        #expect(id(#""$insert_id":"i""#) == "i")
        #expect(id(#""insert_id":null,"$insert_id":7"#) == "7")
        #expect(id(#""$insert_id":"i","insert_id":"""#) == "i")
        #expect(id(#""$insert_id":"i","insert_id":"j""#) == "j")
        #expect(id(#""insert_id":0,"$insert_id":"i""#) == "0")
        #expect(id(#""$insert_id":null"#) == "")
        #expect(id(#""insert_id":"j","$insert_id":[]"#) == "j")
        for value in ["[]", "true", "1.5", "{}"] {
            #expect(seen("\"time\":1,\"$insert_id\":\(value)") == .rejected(.badType))
            #expect(
                seen("\"time\":1,\"insert_id\":\"\",\"$insert_id\":\(value)") == .rejected(.badType)
            )
        }
    }
}
