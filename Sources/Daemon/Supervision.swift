/// Decides what the service manager is told: a function of the time and of what was seen.
///
/// It is told that the service is alive only when every thread that the service rests on has made progress. When
/// one hangs, the manager hears nothing more, and kills the service after its own time.
struct Supervision {
    /// A thread that makes no progress.
    struct Hang: Equatable {
        /// Which thread.
        var name: String
        /// For how long, in milliseconds.
        var milliseconds: Int64
    }

    /// What to do after a look.
    struct Decision: Equatable {
        /// What the manager is told, in this order.
        var messages: [ServiceMessage] = []
        /// Threads whose hang is to be logged: each once.
        var hangs: [Hang] = []
        /// Threads that hung and go on.
        var recovered: [String] = []
    }

    /// How long a thread's step may take where no watchdog is set, in milliseconds.
    static let patienceMilliseconds: Int64 = 15_000
    /// The least time between two status lines that differ in their figures only.
    static let statusMilliseconds: Int64 = 5000

    private let watchdog: Int64?
    private var aliveAt: Int64?
    private var status: (at: Int64, isReady: Bool, text: String)?
    /// Threads that were silent at the last look, and whether that was logged.
    private var silent: [String: Bool] = [:]

    /// Supervision of a service.
    ///
    /// - Parameter watchdog: Within how many milliseconds the manager must hear of it; nil = it need not.
    init(watchdog: Int64?) {
        self.watchdog = watchdog
    }

    /// How long a step of a thread may take before it counts as hanging, in milliseconds.
    var patience: Int64 { watchdog.map { max(1, $0 / 2) } ?? Self.patienceMilliseconds }

    /// Milliseconds between two looks: so short that no sign of life comes late.
    var interval: Int64 { min(1000, max(1, (watchdog ?? 8000) / 8)) }

    /// Takes a look.
    ///
    /// - Parameters:
    ///   - now: By the clock that never jumps.
    ///   - hangs: The threads that are silent for longer than ``patience``.
    ///   - isReady: Whether the service is ready.
    ///   - text: How it is.
    /// - Returns: What to do.
    mutating func look(now: Int64, hangs: [Hang], isReady: Bool, text: String) -> Decision {
        var decision = Decision()
        notice(hangs, &decision)
        var text = text
        if let worst = hangs.max(by: { $0.milliseconds < $1.milliseconds }) {
            text =
                "hangs: \(worst.name) makes no progress for \(worst.milliseconds / 1000) s; \(text)"
        } else if let watchdog, aliveAt.map({ now - $0 >= watchdog / 4 }) ?? true {
            aliveAt = now
            decision.messages.append(.watchdog)
        }
        let isHealthy = isReady && hangs.isEmpty
        if isNews(now, isHealthy, text) {
            status = (now, isHealthy, text)
            decision.messages.append(.status(text))
        }
        return decision
    }

    /// A process that stood still as a whole finds all of its threads silent once: only at the second look in a row
    /// it is the thread that hangs.
    private mutating func notice(_ hangs: [Hang], _ decision: inout Decision) {
        for hang in hangs {
            guard let wasLogged = silent[hang.name] else {
                silent[hang.name] = false
                continue
            }
            if !wasLogged {
                silent[hang.name] = true
                decision.hangs.append(hang)
            }
        }
        for (name, wasLogged) in silent where !hangs.contains(where: { $0.name == name }) {
            silent[name] = nil
            if wasLogged { decision.recovered.append(name) }
        }
        decision.recovered.sort()
    }

    private func isNews(_ now: Int64, _ isReady: Bool, _ text: String) -> Bool {
        guard let status else { return true }
        if status.text == text { return false }
        return status.isReady != isReady || now - status.at >= Self.statusMilliseconds
    }
}
