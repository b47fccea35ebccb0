/// A value of a YAML or JSON document, with the place where it stands.
public struct Node: Sendable {
    /// A key and its value; keys of a mapping are always texts.
    public struct Pair: Sendable {
        /// The key as written.
        public var key: String
        /// Where the key stands.
        public var keyMark: Mark
        /// The value.
        public var value: Node

        /// A pair from its parts.
        public init(key: String, keyMark: Mark, value: Node) {
            self.key = key
            self.keyMark = keyMark
            self.value = value
        }
    }

    /// What a node can be, after the YAML 1.2 core schema.
    public indirect enum Value: Sendable {
        case null
        case boolean(Bool)
        /// An integer that fits signed 64 bits.
        case integer(Int64)
        /// Any other number: the nearest double; infinite and not-a-number come from `.inf` and `.nan`.
        case double(Double)
        case text(String)
        case sequence([Node])
        /// In the order written, keys unique.
        case mapping([Pair])
    }

    /// What it is.
    public var value: Value
    /// Where it begins.
    public var mark: Mark
    /// A scalar exactly as written (without quotes); empty for sequences and mappings.
    ///
    /// Messages show it: an unquoted `2.10` is `.double(2.1)` with source `2.10`.
    public var source: String

    /// A node from its parts.
    public init(value: Value, mark: Mark, source: String = "") {
        self.value = value
        self.mark = mark
        self.source = source
    }
}
