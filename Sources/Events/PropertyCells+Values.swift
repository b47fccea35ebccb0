public import Basics

extension PropertyCells {
    /// Appends the value of the next property; missing and null are absent.
    public static func append(_ value: ValueView, to cells: inout [UInt8]) {
        switch value.kind {
        case nil, .null: append(.absent, .empty, to: &cells)
        case .text: append(.text, value.text ?? .empty, to: &cells)
        case .no, .yes: appendCanonical(.boolean, value, to: &cells)
        case .integer, .double: appendCanonical(.number, value, to: &cells)
        case .array, .object:
            var writer = JSONWriter()
            value.write(to: &writer)
            writer.bytes.withByteView { append(.json, $0, to: &cells) }
        }
    }

    private static func appendCanonical(_ kind: Kind, _ value: ValueView, to cells: inout [UInt8]) {
        _ = CanonicalText.withBytes(of: value) { append(kind, $0, to: &cells) }
    }
}

extension ValueView {
    /// Writes the value as JSON: members and elements in their order, numbers by their canonical texts, missing as
    /// `null`.
    ///
    /// Recursive: an event nests at most 64 deep, and no operation adds more than a list around it.
    public func write(to writer: inout JSONWriter) {
        switch kind {
        case nil, .null: writer.null()
        case .no, .yes: writer.value(kind == .yes)
        case .text: writer.value(text ?? .empty)
        case .integer, .double:
            var digits: [UInt8] = []
            _ = CanonicalText.append(self, to: &digits)
            writer.raw(digits)
        case .array:
            writer.beginArray()
            for element in elements { element.write(to: &writer) }
            writer.endArray()
        case .object:
            writer.beginObject()
            for member in members {
                writer.key(member.name)
                member.value.write(to: &writer)
            }
            writer.endObject()
        }
    }
}
