import Kafka

/// Who gives way where two daemons are in one group although each looked first: both had looked before either had joined.
///
/// Somebody who had the whole topic stays. Of two who never had it, the one with the smaller instance id waits for the
/// other to go, and goes itself after a while: then the other one is there to stay.
struct GroupRivalry {
    /// How long the one with the smaller id waits, in milliseconds.
    static let patienceMilliseconds: Int64 = 60_000

    private let memberID: String
    private var hadAll = false
    private var since: Int64?

    /// The rivalry as the member with this instance id sees it.
    init(memberID: String) {
        self.memberID = memberID
    }

    /// Takes in how things stand, at a time in milliseconds of the clock that never jumps.
    ///
    /// - Parameters:
    ///   - hasAll: Whether every partition is ours.
    ///   - now: The time.
    ///   - others: The other members; asked only where it matters.
    /// - Returns: To whom we give way; nil for nobody.
    mutating func look(hasAll: Bool, now: Int64, others: () -> [GroupMember]) -> GroupMember? {
        if hasAll { hadAll = true }
        if hadAll { return nil }
        guard let other = others().min(by: { Self.id(of: $0) < Self.id(of: $1) }) else {
            since = nil
            return nil
        }
        let began = since ?? now
        since = began
        return Self.id(of: other) < memberID || now - began >= Self.patienceMilliseconds
            ? other : nil
    }

    /// One without a static name is no daemon, and does not know to give way.
    private static func id(of member: GroupMember) -> String { member.instanceID ?? "" }
}
