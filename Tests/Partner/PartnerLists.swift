/// What a partner holds: the members of its lists, and what it was asked to do.
package struct PartnerLists: Sendable {
    /// One change of one user.
    package struct Change: Sendable, Hashable {
        /// Of which list.
        package var list: String
        /// Whom.
        package var user: String
        /// In or out.
        package var isEntering: Bool

        /// A change from its parts.
        package init(list: String, user: String, isEntering: Bool) {
            self.list = list
            self.user = user
            self.isEntering = isEntering
        }
    }

    /// Members by list; a list that was made and is empty has an empty set.
    package private(set) var members: [String: Set<String>] = [:]
    /// Every change in the order it was applied.
    package private(set) var changes: [Change] = []
    /// Users whom the partner does not take.
    package var refused: Set<String> = []
    /// Whether single users fail for a moment.
    package var isMoody = false
    /// What the partner was asked that it must not be asked.
    var problems: [String] = []
    private var madeCount = 0
    private var bodies: [String: [UInt8]] = [:]

    /// Whether the partner has the list.
    func has(_ list: String) -> Bool { members[list] != nil }

    /// Makes a list, unless it is there.
    mutating func make(_ list: String) {
        members[list, default: []].formUnion([])
    }

    /// Makes a list under a name of the partner's own.
    mutating func make() -> String {
        madeCount += 1
        let list = String(8_000_000 + madeCount)
        make(list)
        return list
    }

    /// Loses a list.
    package mutating func remove(_ list: String) {
        members[list] = nil
    }

    mutating func apply(_ list: String, _ user: String, isEntering: Bool) {
        changes.append(Change(list: list, user: user, isEntering: isEntering))
        if isEntering {
            members[list, default: []].insert(user)
        } else {
            members[list, default: []].remove(user)
        }
    }

    /// Holds a message to having one body for ever.
    mutating func note(message: String, _ body: [UInt8]) {
        if let former = bodies[message], former != body {
            problems.append("message \(message) has two bodies")
        }
        bodies[message] = body
    }
}
