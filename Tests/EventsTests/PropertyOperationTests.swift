import Basics
import Testing

@testable import Events

/// What an operation makes of a value written as JSON (nil = the property is not there), as JSON.
private func result(_ op: Assignment.Operation, _ operand: String, on current: String?) -> String {
    var bytes: [UInt8] = Array("left over".utf8)
    let outcome = withValue(operand) { operand in
        guard let current else {
            return PropertyOperation.apply(op, current: .missing, operand: operand, into: &bytes)
        }
        return withValue(current) {
            PropertyOperation.apply(op, current: $0, operand: operand, into: &bytes)
        }
    }
    switch outcome {
    case .written:
        return bytes.withByteView { view in
            #expect(ValueView.size(at: view.base) == view.count)
            return render(ValueView(view))
        }
    case .unchanged: return bytes.isEmpty ? "unchanged" : "unchanged, with bytes"
    case .ignored: return bytes.isEmpty ? "ignored" : "ignored, with bytes"
    }
}

@Suite("Property operations")
struct PropertyOperationTests {
    @Test(
        "$add starts at 0, keeps integers exact, takes numeric text, and is ignored without numbers"
    )
    func add() {
        for (operand, current, expected) in [
            ("1", nil, "1"), ("1", "null", "1"), ("2", "1", "3"), ("\"5\"", nil, "5"),
            ("1", "\"5\"", "6"),
            ("1", "\" 5 \"", "6"), ("0.5", nil, "0.5"), ("0.2", "0.1", "0.30000000000000004"),
            ("-1", "1.0", "0.0"),
            ("1", "9007199254740992", "9007199254740993"),
            ("1", "9007199254740992.0", "9007199254740992.0"),
            ("-1", "-9223372036854775808", "-9.223372036854775808e+18"),
            ("9223372036854775807", "1", "9.223372036854775808e+18"),
            ("1e308", "1e308", "ignored"), ("-1e308", "-1e308", "ignored"), ("1e308", nil, "1e308"),
            ("\"x\"", "1", "ignored"), ("\"x\"", nil, "ignored"), ("1", "\"abc\"", "ignored"),
            ("1", "\"\"", "ignored"), ("4", "[2]", "ignored"), ("[4]", "2", "ignored"),
            ("true", "1", "ignored"), ("1", "true", "ignored"), ("null", "1", "ignored"),
            ("null", nil, "ignored"),
            ("{}", "1", "ignored"), ("1", "{}", "ignored"),
        ] as [(String, String?, String)] {
            let seen = result(.add, operand, on: current)
            let both = (Double(seen), Double(expected))
            if let seen = both.0, let expected = both.1, seen.magnitude > 1e18 {
                #expect(seen == expected)
            } else {
                #expect(seen == expected, "\(operand) on \(current ?? "nothing")")
            }
        }
    }

    @Test("$append and $prepend put a value or the elements of a list behind or in front")
    func appendAndPrepend() {
        for (operand, current, appended, prepended) in [
            ("\"a\"", nil, "[\"a\"]", "[\"a\"]"),
            ("[1,2]", "null", "[1,2]", "[1,2]"),
            ("[1,2]", "[3,1]", "[3,1,1,2]", "[1,2,3,1]"),
            ("1", "\"x\"", "[\"x\",1]", "[1,\"x\"]"),
            ("[[1,2]]", "[3]", "[3,[1,2]]", "[[1,2],3]"),
            ("null", "[1]", "[1,null]", "[null,1]"),
            ("{\"k\":[1]}", "[]", "[{k:[1]}]", "[{k:[1]}]"),
            ("1", "{\"k\":2}", "[{k:2},1]", "[1,{k:2}]"),
            ("[]", "5.0", "[5.0]", "[5.0]"),
            ("[]", nil, "[]", "[]"),
        ] as [(String, String?, String, String)] {
            #expect(result(.append, operand, on: current) == appended)
            #expect(result(.prepend, operand, on: current) == prepended)
        }
    }

    @Test("$preInsert and $postInsert put only what is not there yet, by canonical text")
    func insert() {
        for (operand, current, pre, post) in [
            ("\"a\"", nil, "[\"a\"]", "[\"a\"]"),
            ("[\"c\",\"a\"]", "[\"a\",\"b\"]", "[\"c\",\"a\",\"b\"]", "[\"a\",\"b\",\"c\"]"),
            ("[2,1,2,\"2\",2.0]", "[1,1]", "[2,1,1]", "[1,1,2]"),
            ("\"5\"", "5", "[5]", "[5]"),
            ("\"5.0\"", "5", "[\"5.0\",5]", "[5,\"5.0\"]"),
            ("[true,\"true\",null,null]", "[]", "[true,null]", "[true,null]"),
            ("[null,\"null\"]", "[null]", "[\"null\",null]", "[null,\"null\"]"),
            ("[[1],{\"a\":1},[1.0]]", "[[1],{\"a\":1}]", "[[1.0],[1],{a:1}]", "[[1],{a:1},[1.0]]"),
            ("[[]]", "\"\"", "[[],\"\"]", "[\"\",[]]"),
            (
                "[4611686018427387904]", "4611686018427387904.0",
                "[4611686018427387904,4.611686018427388e+18]",
                "[4.611686018427388e+18,4611686018427387904]"
            ),
        ] as [(String, String?, String, String)] {
            #expect(result(.preInsert, operand, on: current) == pre)
            #expect(result(.postInsert, operand, on: current) == post)
        }
    }

    @Test(
        "$remove deletes every occurrence; an emptied list stays one, and of nothing there is nothing"
    )
    func remove() {
        for (operand, current, expected) in [
            ("\"x\"", "[\"x\",\"y\",\"x\"]", "[\"y\"]"), ("\"x\"", "[\"x\",\"x\"]", "[]"),
            ("\"x\"", "\"x\"", "[]"),
            ("\"x\"", "\"y\"", "[\"y\"]"), ("\"5\"", "[5,5.0,\"5\",\"5.0\"]", "[\"5.0\"]"),
            ("[\"x\",1]", "[1,2,\"x\"]", "[2]"), ("[[1]]", "[[1],1]", "[1]"),
            ("[1]", "[[1],1]", "[[1]]"),
            ("null", "[null,1]", "[1]"), ("\"x\"", nil, "unchanged"),
            ("\"x\"", "null", "unchanged"),
            ("\"x\"", "[]", "[]"), ("{\"a\":1}", "{\"a\":1}", "[]"),
            ("\"a\"", "{\"a\":1}", "[{a:1}]"),
        ] as [(String, String?, String)] {
            #expect(result(.remove, operand, on: current) == expected)
        }
    }

    @Test("a list grows to 64 KiB and no further; one that an event set longer only shrinks")
    func growth() {
        // An element is its kind, its length and its 100 bytes.
        let element = "\"" + String(repeating: "x", count: 100) + "\""
        let full = "[" + [String](repeating: element, count: 600).joined(separator: ",") + "]"
        for op in [Assignment.Operation.append, .prepend] {
            #expect(result(op, element, on: full) != "ignored")
            #expect(result(op, full, on: full) == "ignored")
        }
        let long = "[" + (0..<20_000).map { "\($0)" }.joined(separator: ",") + "]"
        for op in [Assignment.Operation.append, .prepend, .preInsert, .postInsert] {
            #expect(result(op, "\"new\"", on: long) == "ignored")
        }
        #expect(result(.postInsert, "7", on: long) == long)
        #expect(result(.remove, "7", on: long).hasPrefix("[0,1,2,3,4,5,6,8,"))
    }

    @Test("Long lists are told apart in no quadratic time")
    func longLists() {
        let numbers = (0..<20_000).map { "\($0)" }
        let list = "[" + numbers.joined(separator: ",") + "]"
        let texts = "[" + numbers.map { "\"\($0)\"" }.joined(separator: ",") + "]"
        #expect(result(.postInsert, texts, on: list) == list)
        #expect(result(.remove, texts, on: list) == "[]")
    }
}

@Suite("What is remembered of values")
struct StoredValueTests {
    private func hash(_ json: String) -> [UInt64]? {
        withValue(json) { value in value.canonicalHash().map { [$0.high, $0.low] } }
    }

    @Test("The hash is that of the canonical text, and never changes")
    func canonicalHash() {
        #expect(hash("5") == hash("5.0"))
        #expect(hash("5") == hash("\"5\""))
        #expect(hash("5") != hash("\"5.0\""))
        #expect(hash("true") == hash("\"true\""))
        #expect(hash("1e23") == hash("\"100000000000000000000000\""))
        #expect(hash("-0.0") == hash("0"))
        for json in ["null", "[]", "[1]", "{}"] { #expect(hash(json) == nil) }
        #expect(ValueView.missing.canonicalHash() == nil)
        #expect(hash("\"\"").map { $0[0] != $0[1] } == true)
        // Stored: a change here makes old state unreadable.
        #expect(hash("\"category\"") == [16_630_788_859_201_444_878, 12_353_251_988_564_746_555])
        #expect(hash("12.5") == [1_491_594_673_348_049_467, 4_584_378_980_164_591_316])
    }

    @Test("Of an array each scalar element is seen, of a scalar itself, of all else nothing")
    func eachHash() {
        func hashes(_ json: String) -> [[UInt64]] {
            withValue(json) { value in
                var seen: [[UInt64]] = []
                value.forEachScalarHash { seen.append([$0, $1]) }
                return seen
            }
        }
        #expect(
            hashes("[1,null,[2],{\"a\":3},\"x\",1.0]")
                == ["1", "\"x\"", "1"].compactMap { hash($0) }
        )
        #expect(hashes("7") == [hash("\"7\"")])
        for json in ["null", "[]", "{\"a\":1}", "[[1]]"] { #expect(hashes(json).isEmpty) }
    }

    @Test("Millionths are exact for integers, half-even for doubles, and none beyond 10¹⁵")
    func micro() {
        for (json, expected) in [
            ("0", 0), ("5", 5_000_000), ("-3", -3_000_000), ("5.0", 5_000_000),
            ("\"5\"", 5_000_000),
            ("\" -2.5 \"", -2_500_000), ("0.1", 100_000), ("19.99", 19_990_000), ("1e-7", 0),
            ("0.0000005", 0), ("0.0000015", 2), ("0.0000025", 2), ("-0.0000015", -2), ("5e-324", 0),
            ("1000000000000000", 1_000_000_000_000_000_000_000),
            ("1e15", 1_000_000_000_000_000_000_000),
            ("-1000000000000000", -1_000_000_000_000_000_000_000), ("1000000000000001", nil),
            ("1000000000000000.1", nil), ("-1e15", -1_000_000_000_000_000_000_000), ("-1e16", nil),
            ("1e300", nil),
            ("999999999999999.9", 999_999_999_999_999_868_928), ("9223372036854775807", nil),
            ("true", nil), ("null", nil), ("[5]", nil), ("{}", nil), ("\"x\"", nil), ("\"\"", nil),
            ("\"2026-01-05\"", nil),
        ] as [(String, Int128?)] {
            #expect(withValue(json) { $0.micro() } == expected, "\(json)")
        }
        #expect(ValueView.missing.micro() == nil)
    }

    @Test("A bound may be any number, and one that nothing reaches is the limit")
    func bounds() {
        let limit: Int128 = 1 << 110
        #expect(NumericValue.integer(.max).micro(clampedTo: limit) == Int128(Int64.max) * 1_000_000)
        #expect(NumericValue.double(2.5).micro(clampedTo: limit) == 2_500_000)
        #expect(NumericValue.double(1e300).micro(clampedTo: limit) == limit)
        #expect(NumericValue.double(-1e300).micro(clampedTo: limit) == -limit)
        #expect(NumericValue.double(1e30).micro(clampedTo: limit) == limit)
        #expect(NumericValue.integer(.min).micro(clampedTo: 1000) == -1000)
    }

    @Test("The digits of whole doubles are those of the shortest text")
    func wholeDoubles() {
        var random = SeededGenerator(seed: 5)
        for round in 0..<2000 {
            let double = Double(Int64(bitPattern: random.next()) >> Int64(random.below(63)))
            let expected = String(decoding: CanonicalText.bytes(of: double), as: UTF8.self)
            let seen = withValue(String(describing: double)) { value in
                var bytes: [UInt8] = []
                _ = CanonicalText.append(value, to: &bytes)
                return String(decoding: bytes, as: UTF8.self)
            }
            #expect(seen == expected, "seed 5, round \(round)")
        }
    }
}
