import Basics
import Testing
import YAML

/// What a file is read as.
@Suite("Reading documents")
struct DocumentReaderTests {
    private func read(_ text: String) -> (documents: [Node], problems: [DocumentProblem]) {
        DocumentReader.read(Array(text.utf8))
    }

    /// The documents of a file as JSON, with its problems behind them.
    private func shown(_ text: String) -> [String] {
        let (documents, problems) = read(text)
        return documents.map { String(decoding: $0.json, as: UTF8.self) }
            + problems.map { "\($0.mark.line):\($0.mark.column) \($0.code.rawValue)" }
    }

    @Test(
        "plain scalars follow the core schema",
        arguments: [
            ("true", "true"), ("True", "true"), ("TRUE", "true"), ("false", "false"),
            ("False", "false"),
            ("FALSE", "false"), ("tRue", "\"tRue\""), ("yes", "\"yes\""), ("no", "\"no\""),
            ("on", "\"on\""),
            ("NO", "\"NO\""), ("y", "\"y\""), ("~", "null"), ("null", "null"), ("Null", "null"),
            ("NULL", "null"), ("nULL", "\"nULL\""), ("0", "0"), ("-0", "0"), ("+12", "12"),
            ("007", "7"),
            ("0o17", "15"), ("0x1F", "31"), ("0o8", "\"0o8\""), ("0xG", "\"0xG\""),
            ("0x", "\"0x\""),
            ("-0x1", "\"-0x1\""), ("1_000", "\"1_000\""),
            ("9223372036854775807", "9223372036854775807"),
            ("-9223372036854775808", "-9223372036854775808"),
            ("9223372036854775808", "9.223372036854776e+18"),
            ("0xFFFFFFFFFFFFFFFF", "1.8446744073709552e+19"),
            ("0o2000000000000000000000", "1.8446744073709552e+19"),
            ("1.5", "1.5"), (".5", "0.5"), ("5.", "5.0"), ("1e3", "1000.0"), ("1E-2", "0.01"),
            ("-.5e+1", "-5.0"), (".", "\".\""), ("1e", "\"1e\""),
            ("1.2.3", "\"1.2.3\""),
            ("12:30", "\"12:30\""), ("2026-01-05", "\"2026-01-05\""), (".inf", "\".inf\""),
            ("-.INF", "\"-.INF\""), (".nan", "\".nan\""), ("1e999", "\"1e999\""), ("<<", "\"<<\""),
            ("'5'", "\"5\""), ("\"true\"", "\"true\""), ("|-\n  5", "\"5\""),
            (">-\n  a\n  b", "\"a b\""),
            ("\"\\u00e9\\U0001F600\"", "\"é😀\""), ("''", "\"\""), ("\"\"", "\"\""),
        ]
    )
    func scalars(_ text: String, _ expected: String) {
        #expect(shown("v: \(text)\n") == ["{\"v\":\(expected)}"])
    }

    @Test("special numbers are doubles, not texts")
    func specialNumbers() throws {
        let root = try #require(read("[.inf, -.inf, .nan, \".inf\"]").documents.first)
        guard case .sequence(let nodes) = root.value, case .double(let positive) = nodes[0].value,
            case .double(let negative) = nodes[1].value, case .double(let nan) = nodes[2].value,
            case .text(".inf") = nodes[3].value
        else {
            Issue.record("\(root)")
            return
        }
        #expect(positive == .infinity)
        #expect(negative == -.infinity)
        #expect(nan.isNaN)
    }

    @Test("a scalar keeps how it was written")
    func sources() throws {
        let root = try #require(read("[2.10, 0x1F, \"2.10\", no]").documents.first)
        guard case .sequence(let nodes) = root.value else {
            Issue.record("\(root)")
            return
        }
        #expect(nodes.map(\.source) == ["2.10", "0x1F", "2.10", "no"])
        #expect(nodes.map(\.mark.column) == [2, 8, 14, 22])
    }

    @Test("documents are separated by ---, empty ones are left out")
    func documents() {
        #expect(shown("") == [])
        #expect(shown("\n  \n# only a comment\n") == [])
        #expect(shown("---\n---\n# x\n---\n...\n") == [])
        #expect(
            shown("a: 1\n---\n---\nb: 2\n...\n---\nc: 3") == [
                "{\"a\":1}", "{\"b\":2}", "{\"c\":3}",
            ]
        )
        #expect(shown("--- {a: 1}\n--- # x\nb: 2\n") == ["{\"a\":1}", "{\"b\":2}"])
        #expect(shown("a: 1\r\n---\r\nb: 2\r\n") == ["{\"a\":1}", "{\"b\":2}"])
        #expect(shown("%YAML 1.2\n---\na: 1\n") == ["{\"a\":1}"])
        #expect(
            shown("%YAML 1.2\n---\n{\"a\": 1}\n---\n{\"b\": 1}\n") == ["{\"a\":1}", "{\"b\":1}"]
        )
        #expect(
            shown("a: |\n  x\n  --- y\n  ---\n---\nb: ----\n") == [
                #"{"a":"x\n--- y\n---\n"}"#, #"{"b":"----"}"#,
            ]
        )
    }

    @Test("an explicit null is a document")
    func explicitNull() {
        #expect(shown("null\n---\n~\n---\n\"\"\n") == ["null", "null", "\"\""])
    }

    @Test("JSON is read strictly first, with the same tree and places")
    func json() throws {
        #expect(
            shown(#"{"a": "\ud83d\ude00\/", "b": [1, -2.5e1, true, null, {}]}"#) == [
                #"{"a":"😀/","b":[1,-25.0,true,null,{}]}"#
            ]
        )
        #expect(shown("\u{feff}  [\t1\n]\r\n") == ["[1]"])
        let key = String(repeating: "k", count: 3000)
        #expect(shown("{\"\(key)\": 1}") == ["{\"\(key)\":1}"])
        #expect(
            shown("{\"a\": 1}\n---\nb: 2\n---\n{\"c\": \"\\ud83d\\ude00\"}\n") == [
                "{\"a\":1}", "{\"b\":2}", "{\"c\":\"😀\"}",
            ]
        )
        #expect(
            shown("{\"a\": 1, \"b\": 2, \"a\": 3}") == ["{\"a\":1,\"b\":2}", "1:18 duplicate_key"]
        )
        let root = try #require(read("{\n  \"é😀\": [1,\n 2.0]}").documents.first)
        guard case .mapping(let pairs) = root.value,
            case .sequence(let items) = pairs[0].value.value
        else {
            Issue.record("\(root)")
            return
        }
        #expect(pairs[0].keyMark == Mark(line: 2, column: 3))
        #expect(pairs[0].value.mark == Mark(line: 2, column: 9))
        #expect(items[1].mark == Mark(line: 3, column: 2))
        #expect(items[1].source == "2.0")
    }

    @Test(
        "what begins like JSON and is none is YAML",
        arguments: [
            ("{a: 1}", "{\"a\":1}"), ("{\"a\": 1,}", "{\"a\":1}"), ("{\"a\": 1} # x", "{\"a\":1}"),
            ("[01, .5, 'x']", "[1,0.5,\"x\"]"), ("{\"a\": 1}\n...", "{\"a\":1}"),
            ("[\"a\nb\"]", "[\"a b\"]"),
        ]
    )
    func flowYAML(_ text: String, _ expected: String) {
        #expect(shown(text) == [expected])
    }

    @Test("keys are taken as written")
    func keys() {
        #expect(
            shown("{7: a, 1.50: b, true: c, ~: d, 'x y': e, \"\": f, 2026-01-05: g}") == [
                #"{"7":"a","1.50":"b","true":"c","~":"d","x y":"e","":"f","2026-01-05":"g"}"#
            ]
        )
    }

    @Test("keys are the same when their bytes are")
    func keysAreBytes() {
        #expect(shown("{\"\u{e9}\": 1, \"e\u{301}\": 2}") == ["{\"\u{e9}\":1,\"e\u{301}\":2}"])
        #expect(
            shown("\u{e9}: 1\ne\u{301}: 2\n\u{e9}: 3\n") == [
                "{\"\u{e9}\":1,\"e\u{301}\":2}", "3:1 duplicate_key",
            ]
        )
    }

    @Test(
        "what the language does without",
        arguments: [
            ("a: &x 1\nb: 2\n", ["{\"a\":1,\"b\":2}", "1:4 anchor"]),
            ("&k a: 1\n", ["{\"a\":1}", "1:1 anchor"]),
            ("a: &x [1]\nb: *x\n", ["1:4 anchor", "2:4 alias"]),
            ("a: !!str 5\n", ["{\"a\":5}", "1:4 tag"]),
            ("a: !x {b: 1}\n", ["{\"a\":{\"b\":1}}", "1:4 tag"]),
            ("a: 1\na: 2\n", ["{\"a\":1}", "2:1 duplicate_key"]),
            (
                "a: {b: 1, c: 2, b: 3, b: 4}\n",
                ["{\"a\":{\"b\":1,\"c\":2}}", "1:17 duplicate_key", "1:23 duplicate_key"]
            ),
            ("<<: {a: 1}\n", ["1:1 merge_key"]),
            ("'<<': 1\n", ["{\"<<\":1}"]),
            ("? [a, &x b]\n: 1\n", ["1:3 bad_key"]),
            ("? {a: 1}\n: 1\n", ["1:3 bad_key"]),
            ("?\n: 1\n", ["1:2 bad_key"]),
            (": 1\n", ["1:1 yaml_syntax"]),
            ("- \n-\n", ["[null,null]"]),
            ("*x : 1\n", ["1:1 bad_key"]),
            (
                "a: [1\n---\nb: 2\n---\nc: *d\n---\ne: 3\n",
                ["{\"b\":2}", "{\"e\":3}", "2:1 yaml_syntax", "5:4 alias"]
            ),
            ("a: b: c\n", ["1:5 yaml_syntax"]),
            ("a:\n\t- b\n", ["2:1 yaml_syntax"]),
            ("é: \"x\u{1}\"\n", ["1:6 yaml_syntax"]),
            ("a: 1\n---\nb: \u{0}\n", ["{\"a\":1}", "3:4 yaml_syntax"]),
            ("[\"\\ud83d\"]", ["1:5 yaml_syntax"]),
        ]
    )
    func refused(_ text: String, _ expected: [String]) {
        #expect(shown(text) == expected)
    }

    @Test("a byte that is not UTF-8 is named with its place")
    func notUTF8() {
        let (documents, problems) = DocumentReader.read(Array("a: 1\né: ".utf8) + [0xff, 0x0a])
        #expect(documents.isEmpty)
        #expect(problems.map(\.mark) == [Mark(line: 2, column: 4)])
        #expect(problems.map(\.code) == [.notUTF8])
        #expect(problems.map(\.text) == ["a byte that is not UTF-8 (0xff): save the file as UTF-8"])
        // A surrogate half, an overlong slash and a cut sequence are none either.
        for bytes: [UInt8] in [[0xed, 0xa0, 0x80], [0xc0, 0xaf], [0xe2, 0x82]] {
            #expect(DocumentReader.read(bytes).problems.map(\.mark) == [Mark(line: 1, column: 1)])
        }
    }

    @Test("nesting has a limit, in YAML and in JSON")
    func depth() {
        let max = DocumentReader.depthMax
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            for inner in ["1", "x"] {  // JSON, and flow YAML
                let good =
                    String(repeating: open, count: max) + inner
                    + String(repeating: close, count: max)
                #expect(read(good).problems.isEmpty)
                #expect(read(good).documents.count == 1)
                let (documents, problems) = read(open + good + close)
                #expect(documents.isEmpty)
                #expect(problems.map(\.code) == [.documentTooDeep])
                #expect(problems.map(\.mark) == [Mark(line: 1, column: 1 + max * open.utf8.count)])
            }
        }
        #expect(
            read(String(repeating: "[", count: 1_000_000)).problems.map(\.code) == [
                .documentTooDeep
            ]
        )
    }

    @Test("a file has a largest size")
    func size() {
        let (documents, problems) = DocumentReader.read(
            Array(repeating: UInt8(ascii: "#"), count: DocumentReader.bytesMax + 1)
        )
        #expect(documents.isEmpty)
        #expect(problems.map(\.code) == [.documentTooLarge])
        #expect(problems.map(\.mark) == [Mark(line: 1, column: 1)])
    }

    @Test("places are those of keys and values, in scalars")
    func places() throws {
        let text = "\u{feff}# é\r\nä😀: {x: 'é', y: z}\rk:\n  - &a\n    b: c\n"
        let root = try #require(read(text).documents.first)
        guard case .mapping(let pairs) = root.value,
            case .mapping(let inner) = pairs[0].value.value,
            case .sequence(let items) = pairs[1].value.value
        else {
            Issue.record("\(root)")
            return
        }
        #expect(root.mark == Mark(line: 2, column: 1))
        #expect(pairs[0].value.mark == Mark(line: 2, column: 5))
        #expect(inner[1].keyMark == Mark(line: 2, column: 14))
        #expect(inner[1].value.mark == Mark(line: 2, column: 17))
        #expect(pairs[1].keyMark == Mark(line: 3, column: 1))
        #expect(items[0].mark == Mark(line: 4, column: 5))
    }

    @Test("borrowed bytes read the same")
    func borrowed() {
        "a: 1\n".withByteView { view in
            let documents = DocumentReader.read(view).documents
            #expect(documents.map { String(decoding: $0.json, as: UTF8.self) } == ["{\"a\":1}"])
        }
    }

    @Test("a tree written as JSON reads as the same tree")
    func roundTrip() {
        var generator = SeededGenerator(seed: 11)
        for _ in 0..<300 {
            let node = randomNode(&generator, depth: 0)
            let json = Node(value: .sequence([node]), mark: Mark(line: 1, column: 1)).json
            let again = DocumentReader.read(json)
            #expect(again.problems.isEmpty)
            #expect(again.documents.map(\.json) == [json])
        }
    }

    private func randomNode(_ generator: inout SeededGenerator, depth: Int) -> Node {
        let texts = ["", "a", "é😀", "\"\\\n\t\u{1}", "true", "5", "\u{2028}", "---", "# x"]
        let value: Node.Value
        switch generator.below(depth < 4 ? 7 : 5) {
        case 0: value = .null
        case 1: value = .boolean(generator.chance(percent: 50))
        case 2: value = .integer(Int64(bitPattern: generator.next()))
        case 3:
            let number = Double(bitPattern: generator.next())
            value = .double(number.isFinite ? number : 0.5)
        case 4: value = .text(generator.pick(texts))
        case 5:
            value = .sequence(
                (0..<generator.below(4)).map { _ in randomNode(&generator, depth: depth + 1) }
            )
        default:
            value = .mapping(
                (0..<generator.below(4)).map { index in
                    Node.Pair(
                        key: generator.pick(texts) + String(index),
                        keyMark: Mark(line: 1, column: 1),
                        value: randomNode(&generator, depth: depth + 1)
                    )
                }
            )
        }
        return Node(value: value, mark: Mark(line: 1, column: 1))
    }
}
