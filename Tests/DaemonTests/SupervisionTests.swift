import Basics
import Synchronization
import Telemetry
import Testing
import Threads

@testable import Daemon

@Suite("What the service manager is told, and when")
struct SupervisionTests {
    private func hang(_ name: String, _ milliseconds: Int64) -> Supervision.Hang {
        Supervision.Hang(name: name, milliseconds: milliseconds)
    }

    @Test(
        "while every thread makes progress, a sign of life goes out four times in the watchdog's time"
    )
    func alive() {
        var supervision = Supervision(watchdog: 30_000)
        var pings: [Int64] = []
        for now in stride(from: Int64(100_000), through: 130_000, by: 1000) {
            let decision = supervision.look(now: now, hangs: [], isReady: true, text: "ready")
            if decision.messages.contains(.watchdog) { pings.append(now) }
        }
        #expect(pings == [100_000, 108_000, 116_000, 124_000])
        #expect(supervision.interval == 1000)
        #expect(supervision.patience == 15_000)
    }

    @Test(
        "when an engine thread hangs the signs of life end, it is logged once, and they begin again when it goes on"
    )
    func hangs() {
        var supervision = Supervision(watchdog: 30_000)
        let heartbeats = [("engine thread 0", Heartbeat()), ("engine thread 1", Heartbeat())]
        var pings: [Int64] = []
        var logged: [Supervision.Hang] = []
        var recovered: [String] = []
        var statuses: [String] = []
        for now in stride(from: Int64(0), through: 120_000, by: 1000) {
            heartbeats[0].1.note(.step, at: now)
            // It hangs between 20 s and 80 s.
            if now <= 20_000 || now >= 80_000 { heartbeats[1].1.note(.step, at: now) }
            let hangs = heartbeats.compactMap { name, heartbeat -> Supervision.Hang? in
                let silent = heartbeat.overdue(now: now, patience: supervision.patience)
                return silent > 0 ? hang(name, silent) : nil
            }
            let decision = supervision.look(now: now, hangs: hangs, isReady: true, text: "ready")
            if decision.messages.contains(.watchdog) { pings.append(now) }
            logged += decision.hangs
            recovered += decision.recovered
            for case .status(let text) in decision.messages { statuses.append(text) }
        }
        #expect(pings.filter { $0 <= 35_000 }.count == 5)
        #expect(!pings.contains { $0 > 35_000 && $0 < 80_000 })
        #expect(pings.filter { $0 >= 80_000 }.count == 6)
        // Silent for more than 15 s at 36 s, and still at 37 s.
        #expect(logged == [hang("engine thread 1", 17_000)])
        #expect(recovered == ["engine thread 1"])
        #expect(statuses.first == "ready")
        #expect(statuses[1] == "hangs: engine thread 1 makes no progress for 16 s; ready")
        #expect(statuses.last == "ready")
    }

    @Test("a process that stood still as a whole logs no hang")
    func stoodStill() {
        var supervision = Supervision(watchdog: 30_000)
        _ = supervision.look(now: 0, hangs: [], isReady: true, text: "ready")
        let silent = supervision.look(
            now: 600_000,
            hangs: [hang("engine thread 0", 600_000)],
            isReady: true,
            text: "ready"
        )
        #expect(silent.hangs == [] && !silent.messages.contains(.watchdog))
        let next = supervision.look(now: 601_000, hangs: [], isReady: true, text: "ready")
        #expect(next.hangs == [] && next.recovered == [])
        #expect(next.messages.contains(.watchdog))
    }

    @Test("where no watchdog is set no sign of life goes out, and hangs are logged all the same")
    func unwatched() {
        var supervision = Supervision(watchdog: nil)
        var messages: [ServiceMessage] = []
        var logged = 0
        for now in stride(from: Int64(0), through: 60_000, by: 1000) {
            let hangs = now >= 30_000 ? [hang("the sync thread", now)] : []
            let decision = supervision.look(now: now, hangs: hangs, isReady: false, text: "x")
            messages += decision.messages
            logged += decision.hangs.count
        }
        #expect(!messages.contains(.watchdog))
        #expect(logged == 1)
        #expect(supervision.patience == Supervision.patienceMilliseconds)
    }

    @Test(
        "a status goes out when it changes: at once when the service becomes ready, else every 5 s"
    )
    func status() {
        var supervision = Supervision(watchdog: nil)
        func told(_ now: Int64, _ isReady: Bool, _ text: String) -> Bool {
            let decision = supervision.look(now: now, hangs: [], isReady: isReady, text: text)
            return decision.messages == [.status(text)]
        }
        #expect(told(0, false, "not ready: starting"))
        #expect(!told(1000, false, "not ready: starting"))
        #expect(!told(2000, false, "not ready: replaying"))
        #expect(told(3000, true, "ready: lag 7"))
        #expect(!told(4000, true, "ready: lag 0"))
        #expect(told(8000, true, "ready: lag 0"))
        #expect(!told(60_000, true, "ready: lag 0"))
        #expect(told(60_001, false, "not ready: kafka unreachable"))
    }

    @Test(
        "what takes as long as there is state is allowed ten minutes, waiting for another thread for ever"
    )
    func activities() {
        let heartbeat = Heartbeat()
        #expect(heartbeat.overdue(now: .max >> 4, patience: 1000) == 0)
        heartbeat.note(.step, at: 5000)
        #expect(heartbeat.overdue(now: 6000, patience: 1000) == 0)
        #expect(heartbeat.overdue(now: 6001, patience: 1000) == 1001)
        heartbeat.note(.long, at: 5000)
        #expect(heartbeat.overdue(now: 605_000, patience: 1000) == 0)
        #expect(heartbeat.overdue(now: 605_001, patience: 1000) == 600_001)
        heartbeat.note(.waiting, at: 5000)
        #expect(heartbeat.overdue(now: 9_000_000, patience: 1000) == 0)
    }

    @Test("what others said cannot make an assignment of its own, and is cut")
    func oneLine() {
        #expect(
            ServiceMessage.status("kafka says\nMAINPID=1\r\u{0}x").text
                == "STATUS=kafka says MAINPID=1  x"
        )
        let long = ServiceMessage.status(String(repeating: "ä", count: 400)).text
        #expect(long == "STATUS=" + String(repeating: "ä", count: 128))
        #expect(ServiceMessage.ready.text == "READY=1")
        #expect(ServiceMessage.stopping.text == "STOPPING=1")
        #expect(ServiceMessage.watchdog.text == "WATCHDOG=1")
    }

    @Test("the supervisor tells no sign of life of a thread that hangs, and logs it")
    func supervisor() async throws {
        let told = Locked<[String]>([])
        let lines = Locked<[String]>([])
        let manager = ServiceManager(watchdogMilliseconds: 80) { text in
            told.withLock { $0.append(text) }
            return 0
        }
        let logger = Logger(level: .debug, format: .text, clock: SystemClock()) { line in
            lines.withLock { $0.append(String(decoding: line, as: UTF8.self)) }
        }
        let hanging = Heartbeat()
        hanging.note(.step, at: 0)
        let supervisor = Supervisor(
            over: [(name: "engine thread 0", heartbeat: hanging)],
            telling: manager,
            logger: logger
        ) { (true, "ready") }
        let thread = supervisor.start()
        try await eventually("the hang is logged") {
            lines.withLock { $0.contains { $0.contains("thread_hangs") } }
        }
        #expect(!told.withLock { $0 }.joined().contains("WATCHDOG"))
        hanging.beat(.waiting)
        try await eventually("signs of life") {
            told.withLock { $0.contains { $0.contains("WATCHDOG=1") } }
        }
        supervisor.stop()
        thread.join()
        #expect(lines.withLock { $0.contains { $0.contains("thread_goes_on") } })
    }

    @Test("a manager that cannot be told is a warning and nothing else")
    func unreachable() async throws {
        let lines = Locked<[String]>([])
        let manager = ServiceManager(watchdogMilliseconds: 80) { _ in -2 }
        let logger = Logger(level: .debug, format: .text, clock: SystemClock()) { line in
            lines.withLock { $0.append(String(decoding: line, as: UTF8.self)) }
        }
        let supervisor = Supervisor(over: [], telling: manager, logger: logger) { (true, "ready") }
        let thread = supervisor.start()
        try await eventually("it is logged") {
            lines.withLock { $0.contains { $0.contains("service_manager") } }
        }
        supervisor.stop()
        thread.join()
        let line = try #require(lines.withLock { $0.first })
        #expect(line.contains("No such file or directory") && line.contains("NOTIFY_SOCKET"))
    }
}
