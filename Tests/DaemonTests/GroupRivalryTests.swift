import Kafka
import Testing

@testable import Daemon

@Suite("Two daemons that joined at once")
struct GroupRivalryTests {
    private let other = GroupMember(clientID: "cohortd", host: "10.0.0.2", instanceID: "m")

    @Test("of two newcomers the one with the greater id goes; the other waits, but not for ever")
    func newcomers() {
        var greater = GroupRivalry(memberID: "z")
        #expect(greater.look(hasAll: false, now: 0) { [] } == nil)
        #expect(greater.look(hasAll: false, now: 1000) { [other] } == other)
        var smaller = GroupRivalry(memberID: "a")
        #expect(smaller.look(hasAll: false, now: 0) { [other] } == nil)
        #expect(smaller.look(hasAll: false, now: 59_999) { [other] } == nil)
        #expect(smaller.look(hasAll: false, now: 60_000) { [other] } == other)
        // Who was alone meanwhile begins to wait anew.
        var lucky = GroupRivalry(memberID: "a")
        #expect(lucky.look(hasAll: false, now: 0) { [other] } == nil)
        #expect(lucky.look(hasAll: false, now: 30_000) { [] } == nil)
        #expect(lucky.look(hasAll: false, now: 60_000) { [other] } == nil)
    }

    @Test("who had the whole topic stays, and does not ask")
    func owner() {
        var owner = GroupRivalry(memberID: "z")
        var questions = 0
        func ask() -> [GroupMember] {
            questions += 1
            return [other]
        }
        #expect(owner.look(hasAll: true, now: 0, others: ask) == nil)
        #expect(owner.look(hasAll: false, now: 1_000_000, others: ask) == nil)
        #expect(questions == 0)
    }

    @Test("a member without a static name never gives way, so we do")
    func stranger() {
        var newcomer = GroupRivalry(memberID: "a")
        let stranger = GroupMember(clientID: "console", host: "10.0.0.3", instanceID: nil)
        #expect(newcomer.look(hasAll: false, now: 0) { [stranger] } == stranger)
    }
}
