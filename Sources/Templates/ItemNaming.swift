import Basics
import YAML

/// Finds the users that the elements of an answer are about.
struct ItemNaming {
    /// What an element says.
    private struct Finding {
        var outcome: Outcome
        var reason: String?
        var code: String?
        var isUsed = false
    }

    private let items: ResponseRule.Items
    private let request: TemplateRequest
    private let changes: ChangeList
    private let cellCount: Int
    /// By the place of the user in the request.
    private var byIndex: [Int: Finding] = [:]
    /// Identifiers, numbered by `ids`.
    private var ids = ByteKeyTable()
    private var byID: [Finding] = []
    private var hasOthers = false

    init(
        _ items: ResponseRule.Items,
        _ request: TemplateRequest,
        _ changes: ChangeList,
        cellCount: Int
    ) {
        self.items = items
        self.request = request
        self.changes = changes
        self.cellCount = cellCount
    }

    /// Takes one element.
    mutating func take(_ element: Node) {
        let finding = finding(element)
        switch items.key {
        case .id(let pointer):
            guard let id = pointer.find(in: element)?.scalarText, !id.isEmpty else {
                hasOthers = true
                return
            }
            id.withByteView { bytes in
                if ids.insert(bytes) == byID.count { byID.append(finding) }
            }
        case .index(let pointer):
            take(index: pointer.find(in: element)?.scalarText.flatMap { Int($0) }, finding)
        case .pointer(let pointer):
            let text = pointer.find(in: element)?.scalarText ?? ""
            let index = text.split(separator: "/").lazy.compactMap { Int($0) }.first
            take(index: index, finding)
        }
    }

    private mutating func take(index: Int?, _ finding: Finding) {
        guard let index, request.changes.indices.contains(index) else {
            hasOthers = true
            return
        }
        if byIndex[index] == nil { byIndex[index] = finding }
    }

    private func finding(_ element: Node) -> Finding {
        let code = items.reason.flatMap { $0.find(in: element)?.scalarText }.flatMap {
            Self.isCode($0) ? $0 : nil
        }
        for rule in items.rules {
            if let condition = rule.condition {
                let found = condition.pointer.find(in: element)
                guard condition.test.passes(found?.scalarText, isThere: found != nil) else {
                    continue
                }
            }
            return Finding(
                outcome: rule.outcome,
                reason: rule.reason ?? (rule.outcome == .skip ? ResponseRule.rejectedReason : nil),
                code: code
            )
        }
        return Finding(outcome: .skip, reason: ResponseRule.rejectedReason, code: code)
    }

    /// Whether a text is a code and no sentence: sentences of partners hold identifiers.
    private static func isCode(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { Slug.isWord($0) || "-.:".utf8.contains($0) }
    }

    /// The users named, in the order of the changes, and whether an element named somebody else.
    mutating func users() -> (users: [TemplateVerdict.User], hasOthers: Bool) {
        var users: [TemplateVerdict.User] = []
        for index in byIndex.keys.sorted() {
            guard let finding = byIndex[index] else { continue }
            users.append(Self.user(request.changes[index], finding))
        }
        guard !byID.isEmpty else { return (users, hasOthers) }
        for change in request.changes {
            let place = changes.withRow(change) { row -> Int? in
                for cell in 0..<cellCount {
                    let id = MappedRow.cell(cell, of: row)
                    if !id.isEmpty, let place = ids.find(id) { return place }
                }
                return nil
            }
            guard let place else { continue }
            byID[place].isUsed = true
            users.append(Self.user(change, byID[place]))
        }
        return (users, hasOthers || byID.contains { !$0.isUsed })
    }

    private static func user(_ change: Int, _ finding: Finding) -> TemplateVerdict.User {
        TemplateVerdict.User(
            change: change,
            outcome: finding.outcome,
            reason: finding.reason,
            code: finding.code
        )
    }
}
