import Basics
import Testing

@testable import Events

/// Whether the tests hold for a value written as JSON; nil = the property is missing.
private func holds(_ json: String?, _ tests: [PredicateTest]) -> Bool {
    let compiled = CompiledPropertyTest(tests)
    guard let json else { return compiled.matches(.missing) }
    return withValue(json) { compiled.matches($0) }
}

private func holds(_ json: String?, _ op: PredicateOperator, _ operands: Operand...) -> Bool {
    holds(json, [PredicateTest(op: op, operands: operands)])
}

/// Lends a value written as JSON, encoded as a property of an event.
func withValue<Result>(_ json: String, _ body: (ValueView) -> Result) -> Result {
    var decoder = EventDecoder(
        extraction: Extraction(eventProperties: ["p"]),
        eventBytesMax: 1 << 20,
        futureMax: 0
    )
    let record = Array(
        "{\"user_id\":\"u\",\"event_type\":\"x\",\"time\":1,\"event_properties\":{\"p\":\(json)}}"
            .utf8
    )
    return record.withByteView { bytes in
        _ = decoder.begin(bytes, source: .replay)
        guard case .event(let view) = decoder.next(previousArrival: nil) else {
            Issue.record("\(json) is no value")
            return body(.missing)
        }
        return body(view.eventProperties[0])
    }
}

@Suite("Predicates on properties")
struct PredicateTests {
    @Test(
        "is compares canonical texts: 5, 5.0 and \"5\" are equal, true and \"true\" too, \"5.0\" is neither"
    )
    func equal() {
        let values = [
            "5", "5.0", "5e0", "\"5\"", "\"5.0\"", "true", "\"true\"", "\"True\"", "\"X\"", "\"x\"",
        ]
        func equals(_ operand: Operand) -> [Bool] { values.map { holds($0, .equal, operand) } }
        #expect(
            equals(.integer(5)) == [
                true, true, true, true, false, false, false, false, false, false,
            ]
        )
        #expect(equals(.double(5)) == equals(.integer(5)))
        #expect(equals(.text("5")) == equals(.integer(5)))
        #expect(
            equals(.text("5.0")) == [
                false, false, false, false, true, false, false, false, false, false,
            ]
        )
        #expect(
            equals(.boolean(true)) == [
                false, false, false, false, false, true, true, false, false, false,
            ]
        )
        #expect(equals(.text("true")) == equals(.boolean(true)))
        #expect(
            equals(.text("X")) == [
                false, false, false, false, false, false, false, false, true, false,
            ]
        )
    }

    @Test("is keeps 64-bit integers exact, and what is beyond is a double by its shortest text")
    func exactIntegers() {
        let big = Operand.integer(9_007_199_254_740_993)
        #expect(holds("9007199254740993", .equal, big))
        #expect(holds("9007199254740993", .equal, .text("9007199254740993")))
        #expect(!holds("9007199254740992", .equal, big))
        #expect(!holds("9007199254740992.0", .equal, big))
        #expect(!holds("9007199254740993.0", .equal, big))
        #expect(holds("9223372036854775808", .equal, .double(0x1p63)))
        #expect(holds("9223372036854775808", .equal, .text("9223372036854776000")))
        #expect(!holds("9223372036854775808", .equal, .text("9223372036854775808")))
        #expect(!holds("9223372036854775807", .equal, .double(0x1p63)))
        #expect(holds("1e23", .equal, .text("100000000000000000000000")))
        #expect(holds("1e-7", .equal, .text("0.0000001")))
        #expect(holds("0.1", .equal, .double(0.1)))
        #expect(holds("4611686018427387904", .equal, .integer(1 << 62)))
        // The double's shortest text has other digits than the integer's.
        #expect(!holds("4611686018427387904.0", .equal, .integer(1 << 62)))
        #expect(holds("4611686018427387904.0", .greaterOrEqual, .integer(1 << 62)))
    }

    @Test("−0 is 0, in values and operands; the text \"-0\" is itself")
    func minusZero() {
        for operand in [Operand.integer(0), .double(0), .double(-0.0), .text("0")] {
            #expect(holds("-0.0", .equal, operand))
            #expect(holds("-0", .equal, operand))
            #expect(holds("0", .equal, operand))
            #expect(!holds("\"-0\"", .equal, operand))
        }
        #expect(holds("\"-0\"", .equal, .text("-0")))
        #expect(!holds("0", .equal, .text("-0")))
    }

    @Test("A list of operands means any of them; for the two negatives none of them")
    func lists() {
        #expect(holds("4", .equal, .integer(5), .integer(4)))
        #expect(!holds("6", .equal, .integer(5), .integer(4)))
        #expect(!holds("5", .notEqual, .integer(4), .integer(5)))
        #expect(holds("6", .notEqual, .integer(4), .integer(5)))
        #expect(holds(nil, .notEqual, .integer(4), .integer(5)))
        #expect(!holds("[\"aYb\",\"z\"]", .notContains, .text("x"), .text("y")))
        #expect(holds("[\"z\",{\"k\":\"x\"}]", .notContains, .text("x"), .text("y")))
        #expect(holds("\"x1\"", .startsWith, .text("zz"), .text("x")))
    }

    @Test(
        "Missing and null fail everything but the negatives and set: false; empty text is a value"
    )
    func missing() {
        for value in [nil, "null"] {
            for op in [PredicateOperator.equal, .greater, .less, .contains, .startsWith, .endsWith]
            {
                #expect(!holds(value, op, .text("0")))
            }
            #expect(!holds(value, .between, .integer(0), .integer(9)))
            #expect(holds(value, .notEqual, .text("")))
            #expect(holds(value, .notContains, .text("")))
            #expect(holds(value, .set, .boolean(false)))
            #expect(!holds(value, .set, .boolean(true)))
            #expect(
                !holds(
                    value,
                    [
                        PredicateTest(op: .notEqual, operands: [.text("z")]),
                        PredicateTest(op: .greater, operands: [.integer(0)]),
                    ]
                )
            )
        }
        #expect(holds("\"\"", .equal, .text("")))
        #expect(holds("\"\"", .set, .boolean(true)))
        #expect(!holds("\"\"", .set, .boolean(false)))
        #expect(holds("\"\"", .contains, .text("")))
        #expect(!holds("\"\"", .less, .integer(1)))
    }

    @Test("Of an array one element satisfies all positive tests, and none matches a negative one")
    func arrays() {
        let between = [
            PredicateTest(op: .greater, operands: [.integer(3)]),
            PredicateTest(op: .less, operands: [.integer(5)]),
        ]
        #expect(holds("[2,4]", between))
        #expect(!holds("[1,6]", between))
        #expect(!holds("[]", between))
        #expect(holds("4", between))
        let mixed = [
            PredicateTest(op: .greater, operands: [.integer(3)]),
            PredicateTest(op: .notEqual, operands: [.integer(2)]),
        ]
        #expect(
            ["[2,4]", "[1,6]", "[]", "4"].map { holds($0, mixed) } == [false, true, false, true]
        )
        #expect(
            ["[2,5]", "[5,2]", "[1,6]", "[]", "2"].map { holds($0, .notEqual, .integer(2)) } == [
                false, false, true, true, false,
            ]
        )
        #expect(holds("[]", .set, .boolean(true)))
        #expect(!holds("[null]", .set, .boolean(false)))
        #expect(holds("[null,\"b\"]", .notContains, .text("a")))
        #expect(!holds("[null,\"xA\"]", .notContains, .text("a")))
        #expect(!holds("[[5]]", .equal, .integer(5)))
        #expect(holds("[[5]]", .notEqual, .integer(5)))
        #expect(holds("[\"x\",\"5\"]", .between, .integer(5), .integer(5)))
    }

    @Test("An object satisfies only set: true and the negatives")
    func objects() {
        #expect(holds("{\"q\":1}", .set, .boolean(true)))
        #expect(!holds("{}", .set, .boolean(false)))
        #expect(holds("{\"q\":1}", .notEqual, .integer(1)))
        #expect(holds("{\"q\":\"a\"}", .notContains, .text("a")))
        for op in [PredicateOperator.equal, .contains, .greater] {
            #expect(!holds("{\"q\":1}", op, .text("1")))
        }
        let both = [
            PredicateTest(op: .set, operands: [.boolean(false)]),
            PredicateTest(op: .notEqual, operands: [.integer(1)]),
        ]
        #expect(!holds("{}", both))
        #expect(!holds("2", both))
        #expect(holds(nil, both))
    }

    @Test("Order compares numbers and numeric texts only, exactly")
    func order() {
        let zero = Operand.integer(0)
        let values = ["true", "\"abc\"", "\"1e2\"", "\"+1\"", "\"-.5\"", "\" -0.5 \"", "\"\""]
        #expect(
            values.map { holds($0, .greaterOrEqual, zero) } == [
                false, false, true, false, false, false, false,
            ]
        )
        #expect(
            values.map { holds($0, .less, zero) } == [
                false, false, false, false, false, true, false,
            ]
        )
        let fives = [
            "\" 5 \"", "\"\\t5\"", "\"5.\"", "\"5e0\"", "5", "true", "\"05\"", "\"5 5\"",
            "\"5\\u0000\"", "\"1e999\"",
        ]
        #expect(
            fives.map { holds($0, .between, .integer(5), .integer(5)) }
                == [true, false, false, true, true, false, false, false, false, false]
        )
        let limit = Operand.integer(9_007_199_254_740_992)
        #expect(holds("9007199254740993", .greater, limit))
        #expect(!holds("9007199254740992", .greater, limit))
        #expect(!holds("9007199254740992.0", .greater, limit))
        #expect(holds("9007199254740993", .greater, .double(9_007_199_254_740_992)))
        #expect(holds("9223372036854775807", .less, .double(0x1p63)))
        #expect(!holds("-9223372036854775808", .less, .double(-0x1p63)))
        #expect(holds("-9223372036854775808", .lessOrEqual, .double(-0x1p63)))
        #expect(holds("1e300", .greater, .integer(.max)))
        #expect(holds("-1e300", .less, .integer(.min)))
        #expect(holds("5", .greater, .double(4.5)))
        #expect(holds("-5", .less, .double(-4.5)))
        #expect(holds("-4", .greater, .double(-4.5)))
        #expect(holds("5", .greater, .text(" 4 ")))
        #expect(holds("2.5", .between, .integer(2), .double(2.5)))
        #expect(!holds("2.5001", .between, .integer(2), .double(2.5)))
    }

    @Test(
        "contains, starts_with and ends_with ignore case scalar by scalar and see numbers and booleans as texts"
    )
    func texts() {
        #expect(holds("\"xäbc\"", .contains, .text("ÄB")))
        #expect(!holds("\"ABC\"", .notContains, .text("b")))
        #expect(holds("1250", .startsWith, .text("12")))
        #expect(holds("true", .contains, .text("RU")))
        #expect(holds("1.5", .endsWith, .integer(5)))
        #expect(!holds("12.0", .endsWith, .text("0")))
        #expect(!holds("\"STRASSE\"", .contains, .text("ß")))
        #expect(holds("\"STRAẞE\"", .contains, .text("ß")))
        #expect(!holds("\"İx\"", .contains, .text("i")))
        #expect(holds("\"İx\"", .startsWith, .text("İ")))
        #expect(!holds("\"ΑΣ\"", .contains, .text("ας")))
        #expect(holds("\"ΑΣ\"", .contains, .text("ασ")))
        #expect(holds("\"\u{212a}\"", .equal, .text("\u{212a}")))
        #expect(holds("\"\u{212a}elvin\"", .startsWith, .text("KELVIN")))
        #expect(holds("\"\u{23a}\u{23a}\u{23a}\"", .equal, .text("\u{23a}\u{23a}\u{23a}")))
        #expect(holds("\"\u{23a}\u{23a}\u{23a}\"", .endsWith, .text("\u{2c65}\u{2c65}")))
        #expect(holds("\"𐐀\"", .contains, .text("𐐨")))
        #expect(!holds("\"e\u{301}\"", .contains, .text("é")))
        #expect(!holds("\"ab\"", .startsWith, .text("abc")))
        #expect(!holds("\"ab\"", .endsWith, .text("xab")))
        #expect(holds("\"aab\"", .contains, .text("AB")))
        #expect(!holds("\"aab\"", .contains, .text("abb")))
        let long = String(repeating: "Ä", count: 3000)
        #expect(holds("\"\(long)x\"", .endsWith, .text("äX")))
    }
}

@Suite("Canonical texts and stored values")
struct ValueTests {
    private func canonical(_ json: String) -> String? {
        withValue(json) { value in
            var bytes: [UInt8] = []
            guard CanonicalText.append(value, to: &bytes) else { return nil }
            return String(decoding: bytes, as: UTF8.self)
        }
    }

    @Test("A number's is the shortest decimal that reads back, without exponent and trailing zeros")
    func numbers() {
        for (json, expected) in [
            ("0", "0"), ("-0.0", "0"), ("5.0", "5"), ("-7", "-7"), ("100", "100"), ("1e2", "100"),
            ("1.50", "1.5"),
            ("0.1", "0.1"), ("1e-7", "0.0000001"), ("1e23", "100000000000000000000000"),
            ("-2.5e-3", "-0.0025"),
            ("9223372036854775807", "9223372036854775807"),
            ("-9223372036854775808", "-9223372036854775808"),
            ("9223372036854775808", "9223372036854776000"), ("123456.789e3", "123456789"),
            ("12345.6789", "12345.6789"),
            ("0.30000000000000004", "0.30000000000000004"),
            ("5e-324", "0." + String(repeating: "0", count: 323) + "5"),
            ("1.7976931348623157e308", "17976931348623157" + String(repeating: "0", count: 292)),
            ("true", "true"), ("false", "false"), ("\"a b\"", "a b"), ("\"\"", ""),
        ] {
            #expect(canonical(json) == expected)
        }
        for json in ["null", "[]", "{}", "[1]"] { #expect(canonical(json) == nil) }
    }

    @Test("Canonical texts of random doubles read back, and nothing shorter was passed over")
    func randomDoubles() {
        var random = SeededGenerator(seed: 7)
        for round in 0..<3000 {
            let double = Double(bitPattern: random.next())
            guard double.isFinite else { continue }
            let bytes = CanonicalText.bytes(of: double)
            let text = String(decoding: bytes, as: UTF8.self)
            #expect(bytes.count <= CanonicalText.countMax)
            #expect(Double(text) == double, "seed 7, round \(round)")
            let digits = { (text: String) in
                let mantissa = text.split(separator: "e")[0].filter { $0.isNumber }
                return mantissa.drop { $0 == "0" }.reversed().drop { $0 == "0" }.count
            }
            #expect(digits(text) == digits("\(double)"), "seed 7, round \(round): \(text)")
        }
    }

    @Test(
        "A stored name is taken as it stands, unless that is null and the path leads to something"
    )
    func paths() {
        let path = PropertyPath("a.b.c")
        #expect(path.head == "a")
        #expect(path.isDotted)
        withValue("{\"b\":{\"c\":1,\"n\":null}}") { head in
            withValue("null") { null in
                withValue("7") { seven in
                    #expect(path.follow(from: head).integer == 1)
                    #expect(path.lookUp(asItStands: .missing, underHead: head).integer == 1)
                    #expect(path.lookUp(asItStands: null, underHead: head).integer == 1)
                    #expect(path.lookUp(asItStands: seven, underHead: head).integer == 7)
                    #expect(path.lookUp(asItStands: null, underHead: .missing).kind == .null)
                    #expect(PropertyPath("a.x").follow(from: head).isMissing)
                    #expect(PropertyPath("a.b.n").follow(from: head).kind == .null)
                    #expect(PropertyPath("a").follow(from: head).isMissing)
                    #expect(path.follow(from: seven).isMissing)
                }
            }
        }
        withValue("[{\"b\":{\"c\":1}}]") { list in #expect(path.follow(from: list).isMissing) }
        #expect(!PropertyPath("plain").isDotted)
        #expect(PropertyPath(".x").head == "")
    }
}
