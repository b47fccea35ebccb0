import Kafka

/// Who gives way where two daemons are in one group although each looked first: both had looked before either had joined.
///
/// Somebody who had the whole topic stays. Of two who never had it, the one with the smaller instance id waits for the
/// other to go, and goes itself after a while: then the other one is there to stay.
///
/// Lives as long as the process. Confined to the control thread.
final class GroupRivalry {
    /// How many sessions the one with the smaller id waits.
    ///
    /// The other one looks around once it has restored its state, and is a member for a session after it has gone.
    static let patienceSessions: Int64 = 4

    private var hadAll = false
    private var since: Int64?

    /// Every partition is ours at this moment.
    func hasAll() { hadAll = true }

    /// Takes in how things stand where partitions are missing, at a time in milliseconds of the clock that never jumps.
    ///
    /// - Parameters:
    ///   - me: Our instance id.
    ///   - session: How long a member that has gone is still described, in milliseconds.
    ///   - now: The time.
    ///   - others: The other members; asked only where it matters.
    /// - Returns: To whom we give way; nil for nobody.
    func look(
        _ me: String,
        session: Int64,
        now: Int64,
        others: () -> [GroupMember]
    ) -> GroupMember? {
        if hadAll { return nil }
        guard let other = others().min(by: { Self.id(of: $0) < Self.id(of: $1) }) else {
            since = nil
            return nil
        }
        let began = since ?? now
        since = began
        let isOver = now - began >= Self.patienceSessions * session
        return isOver || Self.id(of: other) < me ? other : nil
    }

    /// One without a static name is no daemon, and does not know to give way.
    private static func id(of member: GroupMember) -> String { member.instanceID ?? "" }
}
