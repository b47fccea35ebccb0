import YAML

/// The fields of one clause, event or filter, each looked at on purpose.
///
/// What nobody asked for and says something stops the translation: it may change the meaning.
struct AmplitudeFields {
    typealias Untranslatable = AmplitudeTranslator.Untranslatable

    /// Behind the path of the clause.
    let place: String
    let node: Node

    init(_ node: Node, place: String = "") {
        self.node = node
        self.place = place
    }

    /// A field that is there and says something.
    subscript(key: String) -> Node? {
        guard let value = node[key], !value.isEmpty else { return nil }
        return value
    }

    /// Refuses every field that says something and is none of these.
    func refuseOthers(than known: [String]) throws(Untranslatable) {
        guard case .mapping(let pairs) = node.value else {
            throw failure(node, "a map is expected")
        }
        for pair in pairs where !known.contains(pair.key) && !pair.value.isEmpty {
            throw failure(pair.value, "the field \(pair.key) is not known")
        }
    }

    /// A field that must be a text.
    func text(_ key: String) throws(Untranslatable) -> String {
        guard let value = self[key], let text = value.text else {
            throw failure(node[key] ?? node, "\(key) is expected to be a text")
        }
        return text
    }

    /// A field that must be an integer, or a text that is one.
    func integer(_ key: String) throws(Untranslatable) -> Int64 {
        guard let number = self[key].flatMap(Self.integer) else {
            throw failure(node[key] ?? node, "\(key) is expected to be an integer")
        }
        return number
    }

    /// A list of maps, empty where the field is not there.
    func list(_ key: String) throws(Untranslatable) -> [AmplitudeFields] {
        guard let value = self[key] else { return [] }
        guard let nodes = value.list else {
            throw failure(value, "\(key) is expected to be a list")
        }
        return nodes.enumerated().map { AmplitudeFields($1, place: "\(place).\(key)[\($0)]") }
    }

    /// Says why, at a place in the file.
    func failure(_ node: Node, _ reason: String) -> Untranslatable {
        Untranslatable(place: place, mark: node.mark, reason: reason)
    }

    static func integer(_ node: Node) -> Int64? {
        node.integer ?? node.text.flatMap { Int64($0) }
    }

    // MARK: The window

    static let timeKeys = [
        "time_type", "time_value", "interval", "offset", "exclude_current_interval",
    ]

    /// A clause's time in Amplitude's terms.
    struct Time {
        /// Days.
        var width: Int64
        /// Days.
        var offset: Int64
        var excludesToday: Bool

        /// The keys of our window.
        var window: [(String, Node)] {
            var pairs = [("last", Node.text("\(width)d"))]
            if excludesToday {
                pairs += [("align", .text("day")), ("exclude_current", .flag(true))]
            }
            if offset > 0 { pairs.append(("offset", .text("\(offset)d"))) }
            return pairs
        }
    }

    func time() throws(Untranslatable) -> Time {
        let type = try text("time_type")
        guard type == "rolling" else {
            throw failure(
                node["time_type"] ?? node,
                "time_type \(type) is not known, only rolling is"
            )
        }
        if let interval = self["interval"], Self.integer(interval) != 1 {
            throw failure(interval, "intervals other than 1 (days) are not known")
        }
        var offset: Int64 = 0
        if self["offset"] != nil { offset = try integer("offset") }
        guard offset >= 0 else { throw failure(node["offset"] ?? node, "the offset is negative") }
        var excludesToday = false
        if let flag = self["exclude_current_interval"] {
            guard let value = flag.boolean else {
                throw failure(flag, "exclude_current_interval is true or false")
            }
            excludesToday = value
        }
        return Time(width: try days(), offset: offset, excludesToday: excludesToday)
    }

    /// `time_value`: 30 or [30].
    private func days() throws(Untranslatable) -> Int64 {
        guard let value = self["time_value"] else { throw failure(node, "time_value is missing") }
        let values = value.list ?? [value]
        guard values.count == 1, let days = Self.integer(values[0]), days > 0 else {
            throw failure(value, "time_value is expected to be one positive number of days")
        }
        return days
    }
}
