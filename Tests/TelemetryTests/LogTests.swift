import Basics
import Synchronization
import Telemetry
import Testing

/// A clock that stands until it is moved.
private final class ManualClock: Clock {
    private let milliseconds = Mutex<Int64>(0)

    var now: EventTime { EventTime(milliseconds: milliseconds.withLock { $0 }) }
    var monotonicMilliseconds: Int64 { milliseconds.withLock { $0 } }

    func advance(_ amount: Int64) {
        milliseconds.withLock { $0 += amount }
    }
}

private final class Lines: Sendable {
    private let lines = Mutex<[String]>([])

    var all: [String] { lines.withLock { $0 } }

    func append(_ bytes: [UInt8]) {
        lines.withLock { $0.append(String(decoding: bytes, as: UTF8.self)) }
    }
}

private let instant = EventTime(milliseconds: 1_767_571_260_250)

@Suite("Log lines")
struct LogLineTests {
    private let line = LogLine(
        .warning,
        event: "store.torn_tail",
        text: "cut the last record",
        fields: [
            "partition": 3, "path": "a b", "bytes": .integer(-1), "share": 0.5, "cut": true,
            "ids": .list(["x", "y"]),
        ]
    )

    @Test("text begins with the time and quotes what is not one word")
    func text() {
        #expect(
            String(decoding: line.rendered(as: .text, at: instant), as: UTF8.self)
                == "2026-01-05T00:01:00.250Z warning store.torn_tail: cut the last record "
                + "partition=3 path=\"a b\" bytes=-1 share=0.5 cut=true ids=x,y\n"
        )
    }

    @Test("json keeps the types of fields")
    func json() {
        #expect(
            String(decoding: line.rendered(as: .json, at: instant), as: UTF8.self)
                == #"{"at":"2026-01-05T00:01:00.250Z","level":"warning","event":"store.torn_tail","#
                + #""text":"cut the last record","partition":3,"path":"a b","bytes":-1,"share":0.5,"#
                + #""cut":true,"ids":["x","y"]}"# + "\n"
        )
    }

    @Test(
        "the journal gets a prefix of the level and no time",
        arguments: zip(LogLevel.allCases, ["<3>", "<4>", "<5>", "<6>", "<7>"])
    )
    func journald(level: LogLevel, prefix: String) {
        let line = LogLine(level, event: "a.b", text: "c")
        #expect(
            String(decoding: line.rendered(as: .journald, at: instant), as: UTF8.self)
                == "\(prefix)a.b: c\n"
        )
    }

    @Test("nothing in a field or a text begins a second line", arguments: LogFormat.allCases)
    func oneLine(format: LogFormat) {
        let line = LogLine(
            .info,
            event: "a",
            text: "x\n<3>forged\r\u{1}",
            fields: ["f": "y\nlevel=error \u{7f}"]
        )
        let bytes = line.rendered(as: format, at: instant)
        #expect(bytes.filter { $0 == 0x0a || $0 == 0x0d }.count == 1)
        #expect(bytes.last == 0x0a)
        #expect(!bytes.contains(1))
    }

    @Test("numbers that JSON does not have are written as text")
    func notANumber() {
        let line = LogLine(.info, event: "a", text: "b", fields: ["x": .double(.infinity)])
        let text = String(decoding: line.rendered(as: .json, at: instant), as: UTF8.self)
        #expect(text.contains(#""x":"inf""#))
    }

    @Test("a field may not take the name of a part of every line")
    func reservedKey() async {
        await #expect(processExitsWith: .failure) {
            _ = LogLine(.info, event: "a", text: "b", fields: ["level": 1])
        }
    }
}

@Suite("Logger")
struct LoggerTests {
    private let clock = ManualClock()
    private let lines = Lines()

    private func logger(_ level: LogLevel = .info) -> Logger {
        Logger(
            level: level,
            format: .journald,
            clock: clock,
            repeatInterval: 1000,
            sink: { [lines] in lines.append($0) }
        )
    }

    @Test("lines below the level are dropped")
    func level() {
        let logger = logger(.warning)
        logger.debug("a", "debug")
        logger.info("a", "info")
        logger.notice("a", "notice")
        logger.warning("a", "warning")
        logger.error("a", "error")
        #expect(lines.all == ["<4>a: warning\n", "<3>a: error\n"])
        #expect(logger.isEnabled(.error))
        #expect(!logger.isEnabled(.notice))
    }

    @Test("a repeat is left out for the interval and then counted")
    func repeats() {
        let logger = logger()
        for _ in 0..<5 { logger.info("send.failed", "no answer", repeatKey: "crm") }
        clock.advance(999)
        logger.info("send.failed", "no answer", repeatKey: "crm")
        #expect(lines.all == ["<6>send.failed: no answer\n"])
        clock.advance(1)
        logger.info("send.failed", "still no answer", repeatKey: "crm")
        #expect(lines.all.count == 2)
        #expect(lines.all.last == "<6>send.failed: still no answer repeated=5\n")
    }

    @Test("other keys, other events and lines without a key are no repeats")
    func distinct() {
        let logger = logger()
        logger.info("a", "x", repeatKey: "1")
        logger.info("a", "x", repeatKey: "2")
        logger.info("b", "x", repeatKey: "1")
        logger.info("a", "x")
        logger.info("a", "x")
        #expect(lines.all.count == 5)
    }

    @Test("flush reports what was left out, once the interval is over or at the end")
    func flush() {
        let logger = logger()
        for _ in 0..<3 { logger.info("a", "x", repeatKey: "1") }
        logger.flush()
        #expect(lines.all.count == 1)
        clock.advance(1000)
        logger.flush()
        #expect(lines.all.last == "<6>a: x repeated=2\n")
        logger.flush(all: true)
        #expect(lines.all.count == 2)
        logger.info("a", "x", repeatKey: "1")
        logger.info("a", "x", repeatKey: "1")
        logger.flush(all: true)
        #expect(lines.all.last == "<6>a: x repeated=1\n")
    }

    @Test(
        "keys beyond the bound are forgotten, the one written longest ago first, and not in silence"
    )
    func bounded() {
        let logger = logger()
        logger.info("a", "x", repeatKey: "first")
        logger.info("a", "x", repeatKey: "first")
        clock.advance(1)
        for key in 0..<Logger.repeatKeysMax { logger.info("a", "x", repeatKey: "\(key)") }
        #expect(lines.all.count == Logger.repeatKeysMax + 2)
        #expect(lines.all.contains("<6>a: x repeated=1\n"))
        logger.info("a", "x", repeatKey: "first")
        #expect(lines.all.count == Logger.repeatKeysMax + 3)
    }
}
