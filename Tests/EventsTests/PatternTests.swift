import Basics
import Testing

@testable import Events

private func holds(_ json: String?, _ op: PredicateOperator, _ operands: Operand...) -> Bool {
    let compiled = CompiledPropertyTest([PredicateTest(op: op, operands: operands)])
    guard let json else { return compiled.matches(.missing) }
    return withValue(json) { compiled.matches($0) }
}

private func matches(_ pattern: String, _ text: String) -> Bool {
    Array(text.utf8).withByteView { GlobPattern(Array(pattern.utf8)).matches($0) }
}

/// Globs by the words of the language, trying everything; exponential, for short texts.
private func isDescribed(_ text: ArraySlice<Character>, by pattern: ArraySlice<Character>) -> Bool {
    guard let first = pattern.first else { return text.isEmpty }
    let rest = pattern.dropFirst()
    if first == "*" {
        let isDeep = rest.first == "*"
        let behind = isDeep ? rest.dropFirst() : rest
        for count in 0...text.count {
            if !isDeep, text.prefix(count).contains("/") { return false }
            if isDescribed(text.dropFirst(count), by: behind) { return true }
        }
        return false
    }
    guard let scalar = text.first else { return false }
    if first == "[" {
        var members = rest
        let isNegated = members.first == "!"
        if isNegated { members = members.dropFirst() }
        var isIn = false
        var isFirst = true
        while let member = members.first, isFirst || member != "]" {
            isFirst = false
            members = members.dropFirst()
            if members.first == "-", let high = members.dropFirst().first, high != "]" {
                isIn = isIn || (member <= high && (member...high).contains(scalar))
                members = members.dropFirst(2)
            } else {
                isIn = isIn || member == scalar
            }
        }
        return scalar != "/" && isIn != isNegated
            && isDescribed(text.dropFirst(), by: members.dropFirst())
    }
    guard first == "?" ? scalar != "/" : scalar == first else { return false }
    return isDescribed(text.dropFirst(), by: rest)
}

@Suite("glob")
struct GlobTests {
    @Test(
        "The pattern covers the whole value; * stops at a slash, ** does not, either may be empty"
    )
    func stars() {
        for (pattern, good, bad) in [
            ("", [""], ["a", "/"]),
            ("a", ["a"], ["", "A", "ab", "ba"]),
            ("*", ["", "a", "abc é"], ["/", "a/b", "/a"]),
            ("**", ["", "a", "/", "a/b/"], []),
            ("***", ["", "a/b"], []),
            ("a*c", ["ac", "abc", "acc"], ["a/c", "ab", "bac"]),
            ("/a/*", ["/a/", "/a/c"], ["/a/c/d", "/a", "a/c"]),
            ("/a/**", ["/a/", "/a/c", "/a/c/d"], ["/a"]),
            ("**/c", ["/c", "a/c", "a/b/c"], ["c", "ac", "c/d"]),
            ("**c", ["c", "/c", "a/bc"], ["a/"]),
            ("a/**/b", ["a//b", "a/x/b", "a/x/y/b"], ["a/b", "ab"]),
            ("*a*/*b*", ["a/b", "xax/xbx"], ["ab", "a/x/b", "x/ab"]),
            ("*.*", [".", "a.b", "a.b.c"], ["a", "a/b.c"]),
        ] {
            for text in good { #expect(matches(pattern, text), "\(pattern) on \(text)") }
            for text in bad { #expect(!matches(pattern, text), "\(pattern) on \(text)") }
        }
    }

    @Test("? and a class take one scalar that is no slash, however many bytes it has")
    func scalars() {
        for (pattern, good, bad) in [
            ("?", ["a", "é", "😀", "]"], ["", "/", "ab", "e\u{301}"]),
            ("[a-c]", ["a", "b", "c"], ["d", "A", "-", ""]),
            ("[!a-c]", ["d", "😀", "-", "!"], ["a", "/", "", "dd"]),
            ("[/]", [], ["/", "a"]),
            ("[+-9]", ["+", ".", "0"], ["/", ":"]),
            ("[]]", ["]"], ["[", "a"]),
            ("[]a]", ["]", "a"], ["[]a]"]),
            ("[!]a]", ["b", "!"], ["]", "a"]),
            ("[-a]", ["-", "a"], ["b"]),
            ("[a-]", ["-", "a"], ["b"]),
            ("[a-c-e]", ["b", "-", "e"], ["d"]),
            ("[--0]", ["-", ".", "0"], ["/", "1", ","]),
            ("[^a]", ["^", "a"], ["b"]),
            ("[a!]", ["a", "!"], ["b"]),
            ("[[]", ["["], ["]"]),
            ("[*?]", ["*", "?"], ["a"]),
            ("[а-я]", ["ж"], ["z", "Ж"]),
            ("[😀-😂]x", ["😁x"], ["😃x", "x"]),
            (#"\*"#, [#"\a"#, #"\"#], ["*", "a"]),
            ("]a-", ["]a-"], ["a"]),
            ("é*", ["é", "éa"], ["e", "e\u{301}"]),
        ] {
            for text in good { #expect(matches(pattern, text), "\(pattern) on \(text)") }
            for text in bad { #expect(!matches(pattern, text), "\(pattern) on \(text)") }
        }
    }

    @Test("Patterns of any length work, at the edges of machine words too")
    func long() {
        for count in [62, 63, 64, 65, 127, 128, 129, 1000] {
            let text = String(repeating: "a", count: count)
            #expect(matches(text, text))
            #expect(!matches(text, text + "a"))
            #expect(!matches(text + "a", text))
            #expect(matches(text + "*", text + "bcd"))
            #expect(!matches(text + "*", text + "b/cd"))
            #expect(matches(text + "**é", text + "b/cdé"))
            #expect(
                matches(
                    String(repeating: "é", count: count) + "?",
                    text.map { _ in "é" }.joined() + "😀"
                )
            )
        }
    }

    @Test("Random patterns say what trying everything says")
    func random() {
        var random = SeededGenerator(seed: 21)
        let pieces = [
            "a", "b", "/", "é", "*", "*", "**", "?", "[ab]", "[!a]", "[a-é]", "[]/]", "[!-b]",
        ]
        var found = 0
        for round in 0..<20_000 {
            let pattern = (0..<random.below(7)).map { _ in random.pick(pieces) }.joined()
            let text = (0..<random.below(7)).map { _ in random.pick(["a", "b", "/", "é", "-"]) }
                .joined()
            let expected = isDescribed(Array(text)[...], by: Array(pattern)[...])
            if expected { found += 1 }
            #expect(
                matches(pattern, text) == expected,
                "seed 21, round \(round): \(pattern) on \(text)"
            )
        }
        #expect(found > 1500)
    }

    @Test("No pattern takes more than scalars times steps, whatever must be tried")
    func bounded() {
        let pattern = String(repeating: "**a*b", count: 200)
        let text = String(repeating: "ab/", count: 10_000)
        let found = [matches(pattern + "x", text), matches(pattern + "/", text)]
        #expect(found == [false, true])
    }

    @Test("A value's canonical text is matched; of an array one element; a list means any of them")
    func values() {
        #expect(holds("12.0", .glob, .text("1?")))
        #expect(holds("true", .glob, .text("t*")))
        #expect(!holds("1.5", .glob, .text("1?")))
        #expect(holds("[\"x\",\"/a/b\"]", .glob, .text("/a/*")))
        #expect(holds("\"b\"", .glob, .text("a"), .text("[!a]")))
        #expect(holds("12", .glob, .integer(12)))
        for value in [nil, "null", "{}", "[]", "[[\"a\"]]"] {
            #expect(!holds(value, .glob, .text("**")))
        }
    }
}

@Suite("Versions, dates and sets")
struct OrderedAndSetTests {
    /// Whether the version is older, equal or newer; nil = it fails whatever is asked.
    private func order(_ json: String?, _ operand: String) -> Int? {
        let less = holds(json, .versionLess, .text(operand))
        let greater = holds(json, .versionGreater, .text(operand))
        #expect(!(less && greater))
        let atMost = holds(json, .versionLessOrEqual, .text(operand))
        let atLeast = holds(json, .versionGreaterOrEqual, .text(operand))
        guard atMost || atLeast else {
            #expect(!less && !greater)
            return nil
        }
        #expect(less == !atLeast && greater == !atMost)
        return less ? -1 : greater ? 1 : 0
    }

    @Test("Versions are compared part by part as numbers, and missing parts are 0")
    func versions() {
        #expect(order("\"2.10\"", "2.9") == 1)
        #expect(order("2.1", "2.9") == -1)
        #expect(order("2", "2.0.0") == 0)
        #expect(order("\"2.00\"", "2") == 0)
        #expect(order("\"02.010\"", "2.10") == 0)
        #expect(order("2.50", "2.5") == 0)
        #expect(order("\"2.0.0.1\"", "2") == 1)
        #expect(order("\"1\"", "1.0.0.1") == -1)
        #expect(order("\"0\"", "0.0") == 0)
        let long = String(repeating: "9", count: 100)
        #expect(order("\"1.\(long)\"", "1.1\(long)") == -1)
        #expect(order("\"1.\(long)\"", "1.\(long).0") == 0)
        #expect(order("1e21", "1000000000000000000000") == 0)
        #expect(order("[\"x\",\"3\"]", "2") == 1)
    }

    @Test("What is no dotted number fails every comparison of versions")
    func noVersions() {
        for value in [
            nil, "null", "true", "-1", "\"\"", "\".\"", "\"1.\"", "\".1\"", "\"1..2\"", "\"1.x\"",
            "\"v1\"",
            "\" 1\"", "\"1 \"", "\"1-2\"", "\"+1\"", "\"1,2\"", "\"١\"", "[]", "{\"a\":1}", "[[1]]",
        ] {
            #expect(order(value, "0") == nil, "\(value ?? "missing")")
        }
    }

    @Test("Dates compare with dates only, in milliseconds that are cut")
    func dates() {
        let day = Operand.text("2026-01-05")
        for (json, expected) in [
            ("\"2026-01-05\"", [false, true, false, true]),
            ("\"2026-01-04T23:59:59.9999Z\"", [false, false, true, true]),
            ("\"2026-01-05T00:00:00.0009Z\"", [false, true, false, true]),
            ("\"2026-01-05T00:00:00.001Z\"", [true, true, false, false]),
            ("\"2026-01-05t01:00:00+01:00\"", [false, true, false, true]),
            ("\"2026-01-05T00:30:00+01:00\"", [false, false, true, true]),
            ("\"2026-1-5\"", [false, false, false, false]),
            ("\"2026-01-05T00:00:00\"", [false, false, false, false]),
            ("\"2026-01-05 00:00:00\"", [false, false, false, false]),
            ("\"2026-02-30\"", [false, false, false, false]),
            ("\" 2026-01-05\"", [false, false, false, false]),
            ("20260105", [false, false, false, false]),
            ("\"9\"", [false, false, false, false]),
            ("true", [false, false, false, false]),
            ("[1,\"2027-01-01\"]", [true, true, false, false]),
        ] {
            let ops: [PredicateOperator] = [.greater, .greaterOrEqual, .less, .lessOrEqual]
            #expect(ops.map { holds(json, $0, day) } == expected, "\(json)")
        }
        #expect(holds("\"2026-01-05\"", .between, day, .text("2026-01-05T00:00:00Z")))
        #expect(!holds("\"2026-01-06\"", .between, day, .text("2026-01-05T23:59:59Z")))
        #expect(!holds("\"2026-01-05\"", .greater, .integer(0)))
        #expect(!holds("\"2026-01-05\"", .less, .text("9e9")))
    }

    @Test("set_is and set_contains see the scalars of the whole value by their canonical texts")
    func sets() {
        func both(_ json: String?, _ operands: Operand...) -> [Bool] {
            [PredicateOperator.setIs, .setContains].map { op in
                let compiled = CompiledPropertyTest([PredicateTest(op: op, operands: operands)])
                guard let json else { return compiled.matches(.missing) }
                return withValue(json) { compiled.matches($0) }
            }
        }
        #expect(both("[\"b\",\"a\",\"a\"]", .text("a"), .text("b"), .text("a")) == [true, true])
        #expect(both("[\"a\",\"b\",\"c\"]", .text("a"), .text("b")) == [false, true])
        #expect(both("[\"a\"]", .text("a"), .text("b")) == [false, false])
        #expect(both("\"a\"", .text("a")) == [true, true])
        #expect(both("5.0", .text("5")) == [true, true])
        #expect(both("[5,\"5\",true]", .integer(5), .text("true")) == [true, true])
        #expect(both("[5,\"5.0\"]", .integer(5)) == [false, true])
        #expect(both("[null,[\"x\"],{\"k\":\"x\"},\"a\"]", .text("a")) == [true, true])
        #expect(both("[null,[\"a\"]]", .text("a")) == [false, false])
        for value in [nil, "null", "[]", "{}", "{\"a\":\"a\"}"] {
            #expect(both(value, .text("a")) == [false, false])
        }
        let many = (0..<300).map { Operand.integer($0) }
        let list = "[" + (0..<300).reversed().map { "\($0).0" }.joined(separator: ",") + "]"
        let compiled = CompiledPropertyTest([PredicateTest(op: .setIs, operands: many)])
        #expect(withValue(list) { compiled.matches($0) })
    }

    @Test("Beside set_is, the other keys still ask for one element")
    func mixedSets() {
        let tests = [
            PredicateTest(op: .setContains, operands: [.text("a")]),
            PredicateTest(op: .greater, operands: [.integer(3)]),
            PredicateTest(op: .notEqual, operands: [.text("z")]),
        ]
        let compiled = CompiledPropertyTest(tests)
        #expect(
            ["[\"a\",4]", "[\"a\",3]", "[\"b\",4]", "[\"a\",4,\"z\"]", "\"a\"", "{}"].map { json in
                withValue(json) { compiled.matches($0) }
            } == [true, false, false, false, false, false]
        )
        #expect(!compiled.matches(.missing))
    }
}
