import Basics
import Cohorts
import Testing
import YAML

/// Damaged files are refused or read; nothing traps and nothing hangs.
@Suite("Damaged definitions")
struct DamageTests {
    private static let good = """
        id: c
        name: "Füñ \\u00e9"
        timezone: Europe/Berlin
        users:
          all:
            - performed: {event: [x, y], where: {price: {gte: 20}, a.b: [1, true]}, count: {gte: 3}, last: 7d}
            - not: {sequence: {steps: [{event: x}, {event: y}], within: 1h, same: item}}
            - had_property: {p: {glob: "[a-z]*"}, mode: most_recent, last: 2d, align: day}
            - retained: {start: {new: true}, return: {event: "*"}, days: [0, 7], since: 2026-01-01}
            - performed:
                event: z
                on_distinct: {interval: day, count: {gte: 2}, is: {between: [1, 5]}}
            - member_of: d
        ---
        {"id": "d", "users": {"property": {"v": {"version_gte": "2.10"}, "\\ud83d\\ude00": -1.5e3}}}
        """

    @Test("the undamaged file is good")
    func good() {
        #expect(parse(Self.good).problems.map(\.description) == [])
    }

    @Test("a file cut at any byte")
    func truncations() {
        let bytes = Array(Self.good.utf8)
        for end in bytes.indices {
            let (definitions, problems) = parse(Array(bytes[..<end]))
            #expect(definitions.count <= 2)
            for problem in problems { #expect(problem.mark.line >= 1 && problem.mark.column >= 1) }
        }
    }

    @Test("bytes flipped, replaced, removed and repeated", arguments: [1, 2, 3, 4] as [UInt64])
    func mutations(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let words = [
            "{", "}", "[", "]", ":", ",", "\"", "&a ", "*a", "!!int ", "\n---\n", "\n%YAML 1.2\n",
            "\n...\n", "<<: ", "? ", "|\n",
            "\0",
        ]
        for _ in 0..<500 {
            var bytes = Array(Self.good.utf8)
            for _ in 0...generator.below(3) {
                let position = generator.below(bytes.count)
                switch generator.below(5) {
                case 0: bytes[position] ^= UInt8(1 << generator.below(8))
                case 1: bytes[position] = UInt8(generator.below(256))
                case 2: bytes.remove(at: position)
                case 3: bytes.insert(contentsOf: generator.pick(words).utf8, at: position)
                default: bytes.insert(contentsOf: bytes[position...].prefix(20), at: position)
                }
            }
            let (definitions, problems) = parse(bytes)
            #expect(!definitions.isEmpty || !problems.isEmpty || bytes.isEmpty, "seed \(seed)")
        }
    }
}
