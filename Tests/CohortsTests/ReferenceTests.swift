import Events
import Foundation
import Testing

@testable import Cohorts

/// The examples of docs/cohorts.md: fenced definitions and clauses, and what stands under "Example" in a table.
private struct Reference {
    /// One example, as a whole file of definitions.
    struct Example: CustomTestStringConvertible, Sendable {
        let line: Int
        let definitions: String
        var testDescription: String { "docs/cohorts.md:\(line)" }
    }

    private(set) var examples: [Example] = []
    private var section = ""
    /// Which column of the table in hand holds examples.
    private var column: Int?

    init() {
        let page = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../docs/cohorts.md")
        // A page that cannot be read has no examples, which the tests find.
        let bytes = FileManager.default.contents(atPath: page.path) ?? Data()
        var block: (start: Int, lines: [String])?
        let lines = String(decoding: bytes, as: UTF8.self).components(separatedBy: "\n")
        for (index, line) in lines.enumerated() {
            if line == "```yaml" {
                block = (index + 2, [])
            } else if line == "```", let (start, lines) = block {
                add(lines, line: start)
                block = nil
            } else if block != nil {
                block?.lines.append(line)
            } else if line.hasPrefix("## ") {
                section = String(line.dropFirst(3))
            } else if line.hasPrefix("|") {
                addRow(line, line: index + 1)
            } else {
                column = nil
            }
        }
    }

    private mutating func add(_ lines: [String], line: Int) {
        let isWhole = lines.first?.hasPrefix("id:") ?? false
        let text = lines.joined(separator: "\n")
        let clause = "id: example\nusers:\n" + lines.map { "  \($0)\n" }.joined()
        examples.append(Example(line: line, definitions: isWhole ? text : clause))
    }

    private mutating func addRow(_ row: String, line: Int) {
        let cells = row.components(separatedBy: "|").map { $0.trimmingCharacters(in: .whitespaces) }
        guard let column else {
            column = cells.firstIndex(of: "Example")
            return
        }
        let example = cells[column]
        guard example.hasPrefix("`") else { return }
        let text = example.trimmingCharacters(in: ["`"])
        switch section {
        case "Modes", "Windows": add(["performed: {event: e, \(text)}"], line: line)
        case "Predicates on properties": add(["property: {p: \(text)}"], line: line)
        // Property operations are no part of a definition.
        default: break
        }
    }
}

@Suite("The reference of the language")
struct ReferenceTests {
    private static let examples = Reference().examples

    @Test("an example is a good definition", arguments: examples)
    private func good(_ example: Reference.Example) {
        // What `member_of` names.
        let other = "\n---\nid: cart-abandoners\nusers: {uploaded: true}\n"
        let isOther = example.definitions.hasPrefix("id: cart-abandoners\n")
        let (definitions, problems) = parse(example.definitions + (isOther ? "" : other))
        #expect(problems.map(\.description) == [], "\(example.definitions)")
        #expect(definitions.count == (isOther ? 1 : 2))
    }

    @Test("every clause, mode, window and operator has an example")
    func complete() {
        let text = Self.examples.map(\.definitions).joined(separator: "\n")
        // Of a row of like operators one is shown.
        let alike = ["gt", "lt", "lte", "starts_with", "version_gt", "version_lt", "version_lte"]
        let operators = PredicateOperator.allCases.map(\.rawValue).filter { !alike.contains($0) }
        let words =
            operators + DefinitionReader.clauseKeys + DefinitionReader.modeKeys
            + DefinitionReader.windowKeys + ["where", "where_user", "same"]
        for word in words {
            #expect(text.contains("\(word):"), "docs/cohorts.md has no example of \(word)")
        }
    }
}
