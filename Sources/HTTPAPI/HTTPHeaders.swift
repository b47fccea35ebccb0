/// The header fields of a request in the order in which they came; names in any case.
package struct HTTPHeaders: Sendable {
    /// One field; the name in lower case.
    package struct Field: Sendable, Equatable {
        /// In lower case.
        package let name: String
        /// As it came, without the space around it.
        package let value: String
    }

    /// All fields.
    package private(set) var fields: [Field] = []

    /// No fields.
    package init() {}

    /// Adds a field; one of the same name stays.
    package mutating func append(_ name: String, _ value: String) {
        fields.append(Field(name: name.lowercasedASCII, value: value))
    }

    /// The first value of `name`, in any case; nil when there is none.
    package subscript(name: String) -> String? {
        let name = name.lowercasedASCII
        for field in fields where field.name == name { return field.value }
        return nil
    }

    /// Every value of `name`, in any case.
    package func all(_ name: String) -> [String] {
        let name = name.lowercasedASCII
        return fields.filter { $0.name == name }.map(\.value)
    }
}

extension String {
    /// In lower case by ASCII alone: Unicode's rules would turn some other letters into ASCII ones.
    var lowercasedASCII: String {
        let bytes = utf8.map { (0x41...0x5a).contains($0) ? $0 | 0x20 : $0 }
        return String(decoding: bytes, as: UTF8.self)
    }
}
