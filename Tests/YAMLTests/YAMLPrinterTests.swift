import Basics
import Testing
import YAML

@Suite("YAML as we print it")
struct YAMLPrinterTests {
    @Test("short maps and lists go on one line, lists of maps do not")
    func layout() throws {
        let text = """
            id: cart
            name: "Cart: 2 days"
            users:
              all:
                - performed: {event: [add, "2.10"], where: {price: {gte: 20}}, last: 24h}
                - not: {performed: {event: purchase, last: 24h}}
                - {a: 1, b: 2}
              empty: {}
              none: []
              nothing: null

            """
        #expect(try printed(text) == text)
    }

    @Test("what does not fit a line is broken")
    func longLines() throws {
        let words = (0..<20).map { "word-number-\($0)" }
        let text = "a: {list: [\(words.joined(separator: ", "))]}\n"
        let expected = "a:\n  list:\n" + words.map { "    - \($0)\n" }.joined()
        #expect(try printed(text) == expected)
    }

    @Test(
        "texts that would read as something else stand in quotes",
        arguments: [
            ("no", "\"no\""), ("true", "\"true\""), ("7", "\"7\""), ("1e3", "\"1e3\""),
            ("", "\"\""),
            ("a: b", "\"a: b\""), ("- a", "\"- a\""), ("a #b", "\"a #b\""), ("a ", "\"a \""),
            ("é", "\"é\""), ("a\nb", "\"a\\nb\""), ("\u{7f}", "\"\\u007f\""),
            ("\u{feff}", "\"\\ufeff\""),
            ("\u{e0001}", "\"\\U000e0001\""), ("\"\\", "\"\\\"\\\\\""), ("~", "\"~\""),
            ("=", "\"=\""),
            ("add to cart", "add to cart"), ("_active", "_active"), ("7d", "7d"),
            ("2026-01-31", "2026-01-31"),
        ]
    )
    func quoting(text: String, expected: String) {
        let node = Node(value: .text(text), mark: Mark(line: 1, column: 1))
        #expect(node.yaml == expected + "\n")
    }

    @Test("every tree reads back")
    func roundTrip() throws {
        for seed in UInt64(1)...300 {
            var trees = Trees(generator: SeededGenerator(seed: seed))
            let tree = trees.mapping(depth: 0)
            let yaml = tree.yaml
            let (documents, problems) = DocumentReader.read(Array(yaml.utf8))
            #expect(problems.isEmpty, "seed \(seed): \(problems)\n\(yaml)")
            #expect(documents.count == 1, "seed \(seed)")
            #expect(documents.first?.json == tree.json, "seed \(seed):\n\(yaml)")
        }
    }

    private func printed(_ text: String) throws -> String {
        let (documents, problems) = DocumentReader.read(Array(text.utf8))
        #expect(problems.isEmpty)
        return try #require(documents.first).yaml
    }

    /// Random trees with hostile texts.
    private struct Trees {
        var generator: SeededGenerator
        private static let words = [
            "", "a", "no", "null", "7", "-1", "1.5", "0x1F", ".inf", "- a", "a: b", "a #b", "?",
            "!x", "&x", "*x",
            "|", ">", "%", "@", "`", "'", "\"", "\\", "{", "[", ",", "---", "...", "a\nb", "\t",
            " ", "\u{0}",
            "\u{1f}", "\u{85}", "\u{a0}", "\u{2028}", "\u{feff}", "é", "e\u{301}", "日本", "👩‍👩‍👧",
            "\u{10ffff}", "\u{e000}",
            "<<", "2026-01-01", "12:30", "~",
            "a much longer text with several words in it, and a comma",
        ]

        private func leaf(_ value: Node.Value) -> Node {
            Node(value: value, mark: Mark(line: 1, column: 1))
        }

        mutating func mapping(depth: Int) -> Node {
            var pairs: [Node.Pair] = []
            for _ in 0..<generator.below(5) {
                let key = generator.pick(Self.words) + generator.pick(["", "x", " y"])
                // `<<` is a merge key even in quotes here, and refused.
                if key == "<<" || pairs.contains(where: { $0.key.utf8.elementsEqual(key.utf8) }) {
                    continue
                }
                pairs.append(
                    Node.Pair(
                        key: key,
                        keyMark: Mark(line: 1, column: 1),
                        value: node(depth: depth + 1)
                    )
                )
            }
            return leaf(.mapping(pairs))
        }

        mutating func node(depth: Int) -> Node {
            switch generator.below(depth < 5 ? 9 : 6) {
            case 0: return leaf(.null)
            case 1: return leaf(.boolean(generator.chance(percent: 50)))
            case 2:
                return leaf(.integer(Int64(bitPattern: generator.next()) >> generator.below(63)))
            case 3: return leaf(.double(generator.pick([0.1, -2.5, 1e300, 1e-300, 1e16])))
            case 4, 5: return leaf(.text(generator.pick(Self.words) + generator.pick(Self.words)))
            case 6: return mapping(depth: depth)
            default:
                var nodes: [Node] = []
                for _ in 0..<generator.below(4) { nodes.append(node(depth: depth + 1)) }
                return leaf(.sequence(nodes))
            }
        }
    }
}
