/// The value of a user property, as whoever sends it sees it.
package struct OracleCell: Equatable, Sendable, CustomStringConvertible {
    /// `text`, `number`, `boolean`, `json` or `absent`.
    package var kind: String
    package var text: [UInt8]

    /// A cell of a kind.
    package init(kind: String, text: [UInt8]) {
        self.kind = kind
        self.text = text
    }

    init(_ value: OracleValue?) {
        switch value {
        case nil, .null: self.init(kind: "absent", text: [])
        case .text(let text): self.init(kind: "text", text: Array(text.utf8))
        case .number: self.init(kind: "number", text: value?.canonical ?? [])
        case .boolean: self.init(kind: "boolean", text: value?.canonical ?? [])
        case .array, .object:
            self.init(kind: "json", text: Array((value?.canonicalJSON ?? "").utf8))
        }
    }

    package var description: String { "\(kind) \(String(decoding: text, as: UTF8.self))" }
}

extension Oracle {
    /// What everyone of whom there is a line or an upload has of some user properties at each tick: by user, by
    /// tick, by name.
    package func values(
        of names: [String],
        _ lines: [OracleLine],
        _ settings: OracleSettings
    ) -> [[UInt8]: [[OracleCell]]] {
        let instants = ticks.map(\.instant)
        var values: [[UInt8]: [[OracleCell]]] = [:]
        for (id, user) in Self.users(OracleLog(lines, settings), instants, settings) {
            values[id] = instants.map { tick in
                names.map { OracleCell(user.current($0, at: tick, arrivedBy: tick)) }
            }
        }
        return values
    }
}

extension OracleValue {
    /// As JSON, numbers by their canonical texts.
    fileprivate var canonicalJSON: String {
        switch self {
        case .null, .boolean, .text: json
        case .number: String(decoding: canonical ?? [], as: UTF8.self)
        case .array(let elements):
            "[" + elements.map(\.canonicalJSON).joined(separator: ",") + "]"
        case .object(let members):
            "{"
                + members.map { Self.quoted($0.name) + ":" + $0.value.canonicalJSON }
                .joined(separator: ",") + "}"
        }
    }
}
