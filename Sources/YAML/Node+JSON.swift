public import Basics

extension Node {
    /// Appends the tree as JSON, keys in the order written.
    ///
    /// A number that JSON does not have (`.inf`, `.nan`) is written as the text of its source; no checked
    /// definition holds one.
    public func append(to writer: inout JSONWriter) {
        switch value {
        case .null: writer.null()
        case .boolean(let flag): writer.value(flag)
        case .integer(let number): writer.value(number)
        case .double(let number):
            if number.isFinite { writer.value(number) } else { writer.value(source) }
        case .text(let text): writer.value(text)
        case .sequence(let nodes):
            writer.beginArray()
            for node in nodes { node.append(to: &writer) }
            writer.endArray()
        case .mapping(let pairs):
            writer.beginObject()
            for pair in pairs {
                writer.key(pair.key)
                pair.value.append(to: &writer)
            }
            writer.endObject()
        }
    }

    /// The tree as JSON.
    public var json: [UInt8] {
        var writer = JSONWriter()
        append(to: &writer)
        return writer.bytes
    }
}
