/// A consumer group with one member at a time, who comes last; a static one keeps its name.
struct WireGroup {
    /// Who asks.
    struct Caller {
        var generation: Int32 = -1
        var memberID: String
        var instanceID: String?
    }

    private(set) var generation: Int32 = 0
    private(set) var memberID = ""
    private var memberOfInstance: [String: String] = [:]
    private var joinCount = 0

    /// Takes a member in, in the place of the one before.
    ///
    /// - Returns: Its error; what a member is told is in the properties.
    mutating func join(_ caller: Caller) -> Int16 {
        var id = caller.memberID
        if id.isEmpty {
            joinCount += 1
            id = "member-\(joinCount)"
        } else if isFenced(caller) {
            return WireError.fencedInstance
        }
        if let instance = caller.instanceID { memberOfInstance[instance] = id }
        memberID = id
        generation += 1
        return WireError.none
    }

    /// What a member that is in learns: whether it still is.
    func check(_ caller: Caller) -> Int16 {
        if isFenced(caller) { return WireError.fencedInstance }
        if caller.memberID != memberID { return WireError.unknownMember }
        return caller.generation == generation ? WireError.none : WireError.illegalGeneration
    }

    /// Puts somebody else under every static name, as a second process that joins would.
    mutating func replaceStaticMembers() {
        joinCount += 1
        for instance in memberOfInstance.keys {
            memberOfInstance[instance] = "member-\(joinCount)"
        }
    }

    private func isFenced(_ caller: Caller) -> Bool {
        guard let instance = caller.instanceID, let known = memberOfInstance[instance] else {
            return false
        }
        return known != caller.memberID
    }
}
