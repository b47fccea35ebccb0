import Kafka
import Testing

@testable import Daemon

@Suite("Two daemons that joined at once")
struct GroupRivalryTests {
    private let other = GroupMember(clientID: "cohortd", host: "10.0.0.2", instanceID: "m")
    private static let session: Int64 = 45_000
    private static let patience = GroupRivalry.patienceSessions * session

    private func look(
        _ rivalry: GroupRivalry,
        as me: String,
        now: Int64,
        others: () -> [GroupMember]
    ) -> GroupMember? {
        rivalry.look(me, session: Self.session, now: now, others: others)
    }

    @Test("of two newcomers the one with the greater id goes; the other waits, but not for ever")
    func newcomers() {
        let greater = GroupRivalry()
        #expect(look(greater, as: "z", now: 0) { [] } == nil)
        #expect(look(greater, as: "z", now: 1000) { [other] } == other)
        let smaller = GroupRivalry()
        #expect(look(smaller, as: "a", now: 0) { [other] } == nil)
        #expect(look(smaller, as: "a", now: Self.patience - 1) { [other] } == nil)
        #expect(look(smaller, as: "a", now: Self.patience) { [other] } == other)
        // Who was alone meanwhile begins to wait anew.
        let lucky = GroupRivalry()
        #expect(look(lucky, as: "a", now: 0) { [other] } == nil)
        #expect(look(lucky, as: "a", now: 30_000) { [] } == nil)
        #expect(look(lucky, as: "a", now: Self.patience) { [other] } == nil)
    }

    @Test("who had the whole topic stays, and does not ask")
    func owner() {
        let owner = GroupRivalry()
        var questions = 0
        func ask() -> [GroupMember] {
            questions += 1
            return [other]
        }
        owner.hasAll()
        #expect(look(owner, as: "z", now: 0, others: ask) == nil)
        #expect(look(owner, as: "z", now: 1_000_000, others: ask) == nil)
        #expect(questions == 0)
    }

    @Test("a member without a static name never gives way, so we do")
    func stranger() {
        let stranger = GroupMember(clientID: "console", host: "10.0.0.3", instanceID: nil)
        #expect(look(GroupRivalry(), as: "a", now: 0) { [stranger] } == stranger)
    }
}
