/// A file of definitions, or the body of a request that holds one.
public struct DefinitionSource: Sendable {
    /// The name that problems carry.
    public var name: String
    /// YAML or JSON.
    public var bytes: [UInt8]

    /// A source from its parts.
    public init(name: String, bytes: [UInt8]) {
        self.name = name
        self.bytes = bytes
    }
}
