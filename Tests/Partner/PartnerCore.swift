import Glibc
import Synchronization

/// What a partner's connections share.
final class PartnerCore: Sendable {
    struct State: Sendable {
        var lists = PartnerLists()
        var watch: PartnerWatch
        var faults: FaultSchedule?
        var problems: [String] = []
        /// Requests being worked on, by list.
        var busy: [String: Int] = [:]
        /// How many processes have sent.
        var senders = 1
        var lateCount = 0
        var faultCounts: [PartnerFault: Int] = [:]
        var expected: Set<PartnerLists.Change>?
        /// How many of the changes were compared with ``expected``.
        var lookedAt = 0
    }

    let state: Mutex<State>
    private let persona: any Persona
    private let timeoutMilliseconds: Int

    init(
        _ persona: any Persona,
        _ limits: [PartnerLimit],
        _ refused: Set<String>,
        _ faults: FaultSchedule?,
        _ timeoutMilliseconds: Int
    ) {
        self.persona = persona
        self.timeoutMilliseconds = timeoutMilliseconds
        var state = State(watch: PartnerWatch(limits), faults: faults)
        state.lists.refused = refused
        state.lists.isMoody = faults != nil
        self.state = Mutex(state)
    }

    func serve(_ connection: Connection) {
        while let request = connection.readRequest() {
            let arrival = Self.microseconds()
            let call = PartnerCall(request)
            let users = persona.users(of: call)
            let (fault, delay) = state.withLock { state in
                state.problems += state.watch.note(users: users, at: arrival)
                let fault = state.faults?.next()
                if let fault { state.faultCounts[fault, default: 0] += 1 }
                let delay = state.faults?.delay(timeoutMilliseconds / 2) ?? 0
                if fault == .appliedLate { state.lateCount += 1 }
                return (fault, delay)
            }
            guard answer(call, fault, delay, connection) else { return }
        }
    }

    /// False when the connection is over.
    private func answer(
        _ call: PartnerCall,
        _ fault: PartnerFault?,
        _ delay: Int,
        _ connection: Connection
    ) -> Bool {
        switch fault {
        case nil: return connection.send(work(call).bytes())
        case .lostRequest:
            connection.waitForEnd()
            return false
        case .lostAnswer:
            _ = work(call)
            connection.waitForEnd()
            return false
        case .appliedLate:
            connection.waitForEnd()
            usleep(UInt32(delay) * 1000)
            apply(call)
            state.withLock { $0.lateCount -= 1 }
            return false
        case .failureBefore: return connection.send(persona.failed.bytes())
        case .failureAfter:
            _ = work(call)
            return connection.send(persona.failed.bytes())
        case .throttled: return connection.send(persona.throttled.bytes())
        case .resetBefore:
            connection.reset()
            return false
        case .resetAfter:
            _ = work(call)
            connection.reset()
            return false
        case .closedBefore: return false
        case .truncated:
            let bytes = work(call).bytes()
            connection.send(Array(bytes[..<(bytes.count - 3)]))
            return false
        case .longLength:
            connection.send(work(call).bytes(lengthOff: 10))
            connection.waitForEnd()
            return false
        case .shortLength:
            let reply = work(call)
            let isShortened = reply.isTold && reply.body.utf8.count > 4
            connection.send(reply.bytes(lengthOff: isShortened ? -4 : 0))
            return !isShortened
        }
    }

    /// Does what is asked, for which the list is locked meanwhile.
    private func work(_ call: PartnerCall) -> PartnerReply {
        let list = persona.list(of: call) ?? ""
        let sender: Int? = state.withLock { state in
            guard !list.isEmpty, persona.locked != nil else { return state.senders }
            guard state.busy[list, default: 0] == 0 else {
                state.problems.append("two requests at once on one list")
                return nil
            }
            state.busy[list] = 1
            return state.senders
        }
        guard let sender else { return persona.locked ?? persona.failed }
        if persona.locked != nil { usleep(1000) }
        let reply = apply(call)
        state.withLock { state in
            if state.senders == sender { state.busy[list] = nil }
        }
        return reply
    }

    @discardableResult
    private func apply(_ call: PartnerCall) -> PartnerReply {
        state.withLock { state in
            let reply = persona.handle(call, &state.lists)
            if let expected = state.expected {
                for change in state.lists.changes[state.lookedAt...]
                where !expected.contains(change) {
                    state.problems.append("\(change) contradicts the newest level")
                }
                state.lookedAt = state.lists.changes.count
            }
            return reply
        }
    }

    private static func microseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
    }
}
