import Basics
import Synchronization

/// A partner on loopback: a persona that keeps lists, fails as a schedule wants it, and notes what breaks its rules.
package final class MockPartner: Sendable {
    private let core: PartnerCore
    private let server: LoopbackServer

    /// Starts it.
    ///
    /// - Parameters:
    ///   - persona: How it behaves.
    ///   - limits: What it holds its callers to.
    ///   - refused: Users whom it does not take.
    ///   - faults: What goes wrong; nil for nothing.
    ///   - timeoutMilliseconds: After which its callers give up; what is applied late is so within half of that.
    /// - Throws: Where no port can be opened.
    package init(
        _ persona: any Persona,
        limits: [PartnerLimit] = [],
        refused: Set<String> = [],
        faults: FaultSchedule? = nil,
        timeoutMilliseconds: Int
    ) throws {
        let core = PartnerCore(persona, limits, refused, faults, timeoutMilliseconds)
        self.core = core
        server = try LoopbackServer { connection in core.serve(connection) }
    }

    /// Where it listens.
    package var port: Int { server.port }
    /// How many requests arrived whole.
    package var requestCount: Int { server.requests.count }
    /// Every request that arrived whole.
    package var requests: [ReceivedRequest] { server.requests }
    /// What it holds.
    package var lists: PartnerLists { core.state.withLock { $0.lists } }
    /// What broke its rules.
    package var problems: [String] { core.state.withLock { $0.problems + $0.lists.problems } }
    /// Whether nothing is on its way to be applied.
    package var isQuiet: Bool { core.state.withLock { $0.lateCount == 0 } }
    /// How often which fault came up.
    package var faultCounts: [PartnerFault: Int] { core.state.withLock { $0.faultCounts } }

    /// Lets everything go well from now on.
    package func mend() {
        core.state.withLock {
            $0.faults = nil
            $0.lists.isMoody = false
        }
    }

    /// Loses a list.
    package func lose(_ list: String) { core.state.withLock { $0.lists.remove(list) } }

    /// What changes it may be asked for from now on; nil for all.
    package func expect(_ changes: Set<PartnerLists.Change>?) {
        core.state.withLock {
            $0.expected = changes
            $0.lookedAt = $0.lists.changes.count
        }
    }

    /// The sender died: its requests count no more, and its next process knows nothing of them.
    package func senderDied() {
        core.state.withLock {
            $0.watch.forget()
            $0.busy = [:]
            $0.senders += 1
        }
    }
}
