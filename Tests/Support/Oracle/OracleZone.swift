import Glibc

/// The offsets of a time zone as `zdump` of the C library tells them: the very files the engine reads, with
/// code of neither.
package struct OracleZone: Sendable {
    /// From when on, in milliseconds, which offset, in milliseconds east of UTC, holds; ascending.
    private let spans: [(start: Int64, offset: Int64)]

    /// Zones with what is rare: midnights that are missing or come twice, a day that was left out, an odd
    /// offset.
    package static let names = [
        "Europe/Berlin", "America/Sao_Paulo", "Pacific/Apia", "Africa/Cairo", "Asia/Kathmandu",
    ]

    private static let table: [String: OracleZone] = {
        var table = ["UTC": OracleZone(spans: [(.min / 4, 0)])]
        for name in names { table[name] = OracleZone(dumpOf: name) }
        return table
    }()

    /// One of ``names``, or UTC.
    static func named(_ name: String) -> OracleZone {
        guard let zone = table[name] else { preconditionFailure("the oracle has no zone \(name)") }
        return zone
    }

    private init(spans: [(start: Int64, offset: Int64)]) {
        self.spans = spans
    }

    private init(dumpOf name: String) {
        var spans: [(start: Int64, offset: Int64)] = []
        for line in Self.dump(name).split(separator: "\n").dropFirst() {
            // 1980-04-06	03	+02	CEST	1: date, time and offset from then on
            let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
            let offset = Self.offset(fields[2])
            if fields[0] == "-" {
                spans.append((.min / 4, offset))
                continue
            }
            let date = fields[0].split(separator: "-").compactMap { Int($0) }
            let clock = fields[1].split(separator: ":").compactMap { Int64($0) } + [0, 0]
            let day = OracleDate.day(year: date[0], month: date[1], day: date[2])
            let local = Int64(day) * 86_400_000 + Self.milliseconds(clock)
            spans.append((local - offset, offset))
        }
        self.spans = spans
    }

    /// What zdump prints.
    ///
    /// Without Foundation's `Process`, whose wait was seen to last for minutes where every thread of the pool
    /// waits for these tables.
    private static func dump(_ name: String) -> String {
        let command = "exec /usr/bin/zdump -i -c 1900,2060 /usr/share/zoneinfo/" + name
        guard let pipe = popen(command, "r") else {
            preconditionFailure("zdump could not be started: errno \(errno)")
        }
        var text: [UInt8] = []
        var byte = fgetc(pipe)
        while byte != EOF {
            text.append(UInt8(truncatingIfNeeded: byte))
            byte = fgetc(pipe)
        }
        guard pclose(pipe) == 0, !text.isEmpty else {
            preconditionFailure("zdump \(name) failed: the tests need libc-bin and tzdata")
        }
        return String(decoding: text, as: UTF8.self)
    }

    private static func milliseconds(_ clock: [Int64]) -> Int64 {
        ((clock[0] * 60 + clock[1]) * 60 + clock[2]) * 1000
    }

    /// `+02`, `-0330`, `+005328`.
    private static func offset(_ text: Substring) -> Int64 {
        let digits = Array(text.dropFirst()).compactMap { $0.wholeNumberValue.map(Int64.init) }
        var clock: [Int64] = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            clock.append(digits[index] * 10 + digits[index + 1])
        }
        return milliseconds(clock + [0, 0]) * (text.first == "-" ? -1 : 1)
    }

    /// The local date of an instant, as days since 1970-01-01.
    func day(of instant: Int64) -> Int {
        let span = spans.last { $0.start <= instant } ?? spans[0]
        return OracleDate.floor(instant + span.offset, 86_400_000)
    }

    /// The earliest instant whose local date is that day or later.
    func start(ofDay day: Int) -> Int64 {
        let midnight = Int64(day) * 86_400_000
        for (index, span) in spans.enumerated() {
            let instant = max(span.start, midnight - span.offset)
            if index + 1 == spans.count || instant < spans[index + 1].start { return instant }
        }
        return midnight
    }
}
