/// A file of definitions, or the body of a request that holds one.
package struct DefinitionSource: Sendable {
    /// The name that problems carry.
    package var name: String
    /// YAML or JSON.
    package var bytes: [UInt8]

    /// A source from its parts.
    package init(name: String, bytes: [UInt8]) {
        self.name = name
        self.bytes = bytes
    }
}
