import Basics
package import Templates

/// What a sync calls its users at the destination, and what it sends along.
///
/// A name is what the ledger of the sync keeps: the user's id or a property's value as it is, or a row of a
/// template's identity. Whoever shares a name is one user at the destination.
package struct UserNaming: @unchecked Sendable {
    /// What a user may be called, in order of preference.
    package enum Choice: Sendable, Equatable {
        /// The id of the user's events.
        case userID
        /// A property, by its place among the cohort's cells.
        case cell(Int)
    }

    /// A property that is sent along.
    package struct Property: Sendable, Equatable {
        /// As the sync names it.
        package var name: String
        /// Its place among the cohort's cells.
        package var cell: Int

        /// A property from its parts.
        package init(name: String, cell: Int) {
            self.name = name
            self.cell = cell
        }
    }

    private enum Source {
        case chosen
        case device
        case cell(Int)
    }

    private static let deviceMark = Array("device:".utf8)

    private let choices: [Choice]
    private var mapper: IdentityMapper?
    private let sources: [Source]
    /// Those of the user at hand; kept so that a user costs no allocation.
    private var values: [ByteView] = []
    /// What is sent along.
    package let properties: [Property]
    /// Whether names follow from users' ids alone.
    package let followsFromID: Bool
    /// Whether a name is the id itself.
    let isID: Bool

    /// Users are called by their ids.
    package init() {
        self.init(choices: [.userID])
    }

    /// Users are called by a value as it is.
    ///
    /// - Parameters:
    ///   - choices: The first that is not empty.
    ///   - properties: What is sent along.
    package init(choices: [Choice], properties: [Property] = []) {
        self.choices = choices
        self.properties = properties
        mapper = nil
        sources = []
        isID = choices == [.userID]
        followsFromID = isID
    }

    /// Users are called by the rows of a template.
    ///
    /// - Parameters:
    ///   - choices: What stands for `user_id` there: the first that is not empty.
    ///   - mapper: Of the template's identity.
    ///   - cell: The place of a property among the cohort's cells.
    package init(choices: [Choice], mapper: IdentityMapper, cell: (String) -> Int) {
        self.choices = choices
        self.mapper = mapper
        properties = []
        sources = mapper.sources.map {
            switch $0 {
            case .userID: .chosen
            case .deviceID: .device
            case .property(let name): .cell(cell(name))
            }
        }
        isID = false
        followsFromID = mapper.dependsOnUserIDOnly && choices == [.userID]
    }

    /// Whether names are rows of a template.
    var isMapped: Bool { mapper != nil }

    /// Appends the user's name.
    ///
    /// - Parameters:
    ///   - user: The id, with `device:` before that of a device.
    ///   - cells: The user's ``PropertyCells``; may be empty where ``followsFromID``.
    ///   - name: Receives the name; left as it was where the user cannot be named.
    /// - Throws: Why the user cannot be named.
    mutating func name(
        _ user: ByteView,
        cells: ByteView,
        into name: inout [UInt8]
    ) throws(MappingRefusal) {
        guard mapper != nil else {
            let value = chosen(id: user, cells)
            guard !value.isEmpty else { throw .noValue }
            guard value.count <= UserDirectory.lengthMax else { throw .tooLong }
            name.append(contentsOf: value.buffer)
            return
        }
        let start = name.count
        let isDevice = Self.isDevice(user)
        defer { values.removeAll(keepingCapacity: true) }
        for source in sources {
            switch source {
            case .chosen: values.append(chosen(id: isDevice ? .empty : user, cells))
            case .device: values.append(isDevice ? Self.device(user) : .empty)
            case .cell(let index): values.append(Self.text(index, cells))
            }
        }
        try mapper?.map(values, into: &name)
        guard name.count - start <= UserDirectory.lengthMax else {
            name.removeSubrange(start...)
            throw .tooLong
        }
    }

    /// The properties that are sent along, as the text of a JSON object.
    func payload(_ cells: ByteView) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        for property in properties {
            let (kind, value) = PropertyCells.value(property.cell, of: cells)
            guard kind != .absent else { continue }
            writer.key(property.name)
            if kind == .text { writer.value(value) } else { writer.raw(value.array) }
        }
        writer.endObject()
        return writer.bytes
    }

    /// The first choice that is there; `id` is empty where that of a device does not count.
    private func chosen(id: ByteView, _ cells: ByteView) -> ByteView {
        for choice in choices {
            let value =
                switch choice {
                case .userID: id
                case .cell(let index): Self.text(index, cells)
                }
            if !value.isEmpty { return value }
        }
        return .empty
    }

    /// A value that can be a name: lists and objects cannot.
    private static func text(_ cell: Int, _ cells: ByteView) -> ByteView {
        let (kind, value) = PropertyCells.value(cell, of: cells)
        return kind == .json ? .empty : value
    }

    private static func isDevice(_ user: ByteView) -> Bool {
        user.count > deviceMark.count && user.buffer.starts(with: deviceMark)
    }

    private static func device(_ user: ByteView) -> ByteView {
        ByteView(base: user.base + deviceMark.count, count: user.count - deviceMark.count)
    }
}
