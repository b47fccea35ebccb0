import Basics
import Foundation
import Glibc
import LogStore
import TestKit
import Testing

@testable import Daemon

/// Minute by minute, the clocks of a machine whose wall clock a test moves.
private struct Machine {
    var fence: ClockFence
    var now: EventTime
    var sinceBoot: Int64
    var isWitnessed = false

    /// A machine that was started an hour ago, and a daemon that begins now.
    init(stored: ClockReading? = nil, lastTick: EventTime? = nil, now: EventTime = Self.start) {
        self.now = now
        sinceBoot = 3_600_000
        fence = ClockFence(
            stored: stored,
            lastTick: lastTick,
            at: ClockReading(now: now, sinceBoot: sinceBoot)
        )
    }

    /// 2026-05-05T12:00:00Z.
    static let start = EventTime(milliseconds: 1_777_982_400_000)
    static let year: Int64 = 365 * 86_400_000

    var reading: ClockReading { ClockReading(now: now, sinceBoot: sinceBoot) }

    mutating func look() -> ClockFence.Hold? {
        let agrees = isWitnessed
        return fence.look(reading) { _ in agrees }
    }

    /// Lets time pass, looked at once a second, and says what was held at the end.
    mutating func pass(seconds: Int) -> ClockFence.Hold? {
        var hold: ClockFence.Hold?
        for _ in 0..<seconds {
            now = now + 1000
            sinceBoot += 1000
            hold = look()
            // Ticks each second, wherever they may.
            if hold == nil { fence.ticked(now) }
        }
        return hold
    }

    mutating func jump(_ milliseconds: Int64) { now = now + milliseconds }
}

@Suite("The fence of the wall clock")
struct ClockFenceTests {
    @Test(
        "a jump ahead is held until the clock is set back",
        arguments: [360_000, 3_600_000, 86_400_000, Machine.year, 10 * Machine.year]
    )
    func jump(by milliseconds: Int64) {
        var machine = Machine()
        #expect(machine.pass(seconds: 90) == nil)
        let last = machine.fence.lastTick
        let expected = machine.now + 1000
        machine.jump(milliseconds)
        #expect(machine.pass(seconds: 1) == .ahead(expected: expected))
        #expect(machine.pass(seconds: 86_400)?.isLike(.ahead(expected: expected)) ?? false)
        #expect(machine.fence.lastTick == last)
        machine.jump(-milliseconds)
        #expect(machine.pass(seconds: 1) == nil)
    }

    @Test("a jump ahead by less than five minutes is a correction")
    func correction() {
        var machine = Machine()
        #expect(machine.pass(seconds: 10) == nil)
        machine.jump(299_000)
        #expect(machine.pass(seconds: 10) == nil)
    }

    @Test("a jump goes on by itself after three minutes in a row that a witness agrees with")
    func witness() {
        var machine = Machine()
        #expect(machine.pass(seconds: 10) == nil)
        machine.jump(Machine.year)
        #expect(machine.pass(seconds: 30) != nil)
        machine.isWitnessed = true
        #expect(machine.pass(seconds: 120) != nil)
        // One that does not agree begins the count anew.
        machine.isWitnessed = false
        #expect(machine.pass(seconds: 60) != nil)
        machine.isWitnessed = true
        #expect(machine.pass(seconds: 150) != nil)
        #expect(machine.pass(seconds: 60) == nil)
    }

    @Test("a clock that goes on jumping is not believed whatever a witness says")
    func unsteady() {
        var machine = Machine()
        #expect(machine.pass(seconds: 10) == nil)
        machine.jump(Machine.year)
        machine.isWitnessed = true
        for _ in 0..<20 {
            #expect(machine.pass(seconds: 50) != nil)
            machine.jump(20_000)
        }
    }

    @Test("a person lets time go on at once, and only where there is something to accept")
    func accept() {
        var machine = Machine()
        #expect(machine.pass(seconds: 10) == nil)
        #expect(machine.fence.accept(machine.reading) == .needless)
        machine.jump(Machine.year)
        #expect(machine.pass(seconds: 10) != nil)
        #expect(machine.fence.accept(machine.reading) == .accepted)
        #expect(machine.pass(seconds: 10) == nil)
        // Set back now, ticks wait for what they have reached.
        machine.jump(-Machine.year)
        let hold = machine.pass(seconds: 10)
        #expect(hold == .behind(lastTick: machine.fence.lastTick ?? .distantPast))
        #expect(
            machine.fence.accept(machine.reading)
                == .refused(.behind(lastTick: machine.fence.lastTick ?? .distantPast))
        )
    }

    @Test(
        "a clock that is set back holds until it has passed the last tick, and ticks never go back",
        arguments: [1000, 59_000, 61_000, 3_600_000, 10 * Machine.year]
    )
    func back(by milliseconds: Int64) {
        var machine = Machine()
        #expect(machine.pass(seconds: 100) == nil)
        let last = machine.fence.lastTick
        machine.jump(-milliseconds)
        let hold = machine.look()
        if machine.now < ClockFence.earliest {
            #expect(hold == .unset)
        } else {
            #expect((hold == nil) == (milliseconds < 60_000))
        }
        guard milliseconds < 86_400_000 else { return }
        #expect(machine.pass(seconds: Int(milliseconds / 1000) + 1) == nil)
        #expect(machine.fence.lastTick ?? .distantPast >= last ?? .distantFuture)
    }

    @Test("a clock that was never set holds, with and without a snapshot, until it is")
    func unset() {
        for lastTick in [nil, Machine.start] {
            var machine = Machine(lastTick: lastTick, now: EventTime(milliseconds: 5000))
            #expect(machine.pass(seconds: 600) == .unset)
            #expect(machine.fence.accept(machine.reading) == .refused(.unset))
            machine.now = Machine.start + 120_000
            #expect(machine.pass(seconds: 1) == nil)
        }
    }

    // MARK: At the start

    @Test("the first start of all believes its clock")
    func first() {
        var machine = Machine()
        #expect(machine.look() == nil)
        #expect(machine.fence.reference == machine.reading)
    }

    @Test("a restart believes its clock however long it was away, as long as the machine ran on")
    func sameBoot() {
        let stored = ClockReading(now: Machine.start - 3_000_000, sinceBoot: 600_000)
        var machine = Machine(stored: stored, lastTick: Machine.start - 3_000_000)
        #expect(machine.look() == nil)
    }

    @Test("a clock that jumped while the daemon was down is held as if it had seen it")
    func jumpWhileDown() {
        let stored = ClockReading(now: Machine.start - 3_000_000, sinceBoot: 600_000)
        var machine = Machine(
            stored: stored,
            lastTick: Machine.start,
            now: Machine.start + Machine.year
        )
        #expect(machine.pass(seconds: 30) == .ahead(expected: Machine.start + 30_000))
        machine.isWitnessed = true
        #expect(machine.pass(seconds: 100) != nil)
        #expect(machine.pass(seconds: 150) == nil)
    }

    @Test("after a restart of the machine one witness will do, and a short time needs none")
    func otherBoot() {
        var soon = Machine(lastTick: Machine.start - 240_000)
        #expect(soon.look() == nil)
        var late = Machine(lastTick: Machine.start - 3_600_000)
        #expect(late.pass(seconds: 600) != nil)
        late.isWitnessed = true
        #expect(late.pass(seconds: 2) == nil)
        // From then on it is compared as ever.
        late.isWitnessed = false
        late.jump(Machine.year)
        #expect(late.pass(seconds: 600) != nil)
    }

    // MARK: Clocks that drift

    /// How a wall clock is off after so many milliseconds.
    enum Drift: String, CaseIterable {
        case fast, slow, periodic, noisy, stepped

        func error(_ elapsed: Int64, _ generator: inout SeededGenerator) -> Int64 {
            switch self {
            case .fast: elapsed / 2000
            case .slow: -elapsed / 2000
            case .periodic: Int64(60_000 * sin(Double(elapsed) / 3_600_000))
            case .noisy: Int64(generator.below(4001)) - 2000
            case .stepped: elapsed / 86_400_000 % 2 == 0 ? 0 : 50_000
            }
        }
    }

    @Test("drift of 500 ppm, waves, noise and daily steps hold nothing", arguments: Drift.allCases)
    func drift(_ drift: Drift) {
        for seed in Seeds(5) {
            var generator = SeededGenerator(seed: seed)
            var machine = Machine()
            var elapsed: Int64 = 0
            while elapsed < 30 * 86_400_000 {
                let step = Int64(1000 + generator.below(60_000))
                elapsed += step
                machine.sinceBoot += step
                machine.now = Machine.start + elapsed + drift.error(elapsed, &generator)
                if let hold = machine.look() {
                    Issue.record("seed \(seed), \(elapsed) ms: \(hold)")
                    return
                }
                machine.fence.ticked(machine.now)
            }
        }
    }

    @Test("whatever a clock does, no tick is further ahead of time than the tolerance allows")
    func anything() {
        for seed in Seeds(200) {
            var generator = SeededGenerator(seed: seed)
            var machine = Machine()
            var elapsed: Int64 = 0
            var error: Int64 = 0
            var last = EventTime.distantPast
            // The reference is the right time: for less than an hour it is not made anew.
            #expect(machine.look() == nil)
            while elapsed < ClockFence.renewalMilliseconds - 60_000 {
                if generator.chance(percent: 3) {
                    error =
                        generator.chance(percent: 40)
                        ? 0
                        : Int64(generator.below(1 << Int(generator.below(40))))
                            * (generator.chance(percent: 50) ? 1 : -1)
                }
                elapsed += 1000
                machine.sinceBoot += 1000
                machine.now = Machine.start + elapsed + error
                guard machine.look() == nil, machine.now > last else { continue }
                last = machine.now
                machine.fence.ticked(last)
                #expect(
                    last - (Machine.start + elapsed) <= ClockFence.toleranceMilliseconds + 1000,
                    "seed \(seed)"
                )
            }
        }
    }
}

@Suite("The file of the clock")
struct ClockFileTests {
    private func files(_ folder: TemporaryFolder) throws -> SmallFiles<DiskFileSystem> {
        let directory = try DataDirectory.open(
            DiskFileSystem(),
            path: folder.url.path,
            processID: 1,
            newStore: StoreID(high: 1, low: 2)
        )
        return directory.smallFiles
    }

    @Test("what is kept is read again in the same run of the machine, and in no other")
    func boots() throws {
        let folder = try TemporaryFolder()
        let files = try files(folder)
        let reading = ClockReading(now: Machine.start, sinceBoot: 12_345)
        var file = ClockFile(files, bootID: "one")
        #expect(file.reference == nil)
        #expect(file.keep(reading) == nil)
        #expect(ClockFile(files, bootID: "one").reference == reading)
        #expect(ClockFile(files, bootID: "two").reference == nil)
        #expect(ClockFile(files, bootID: nil).reference == nil)
        try folder.remove()
    }

    @Test(
        "a file that is damaged says nothing",
        arguments: ["", "one", "one x 5", "one 1 2 3", "\u{0}"]
    )
    func damaged(text: String) throws {
        let folder = try TemporaryFolder()
        let files = try files(folder)
        try files.writeAtomically("clock", Array(text.utf8))
        #expect(ClockFile(files, bootID: "one").reference == nil)
        try folder.remove()
    }
}

@Suite("The witness of the wall clock")
struct ClockWitnessTests {
    private let now = Machine.start

    private func reports(_ stamps: [EventTime?]) -> PartitionReports {
        let reports = PartitionReports()
        for (number, stamp) in stamps.enumerated() {
            var report = PartitionReport(partition: PartitionID(number))
            report.lastTimestamp = stamp
            reports.publish(report)
        }
        return reports
    }

    @Test("one partition whose last record was stamped within five minutes agrees")
    func records() {
        func agrees(_ stamps: EventTime?...) -> Bool {
            ClockWitness(reports: reports(stamps), path: "/nowhere").agrees(with: now)
        }
        #expect(!agrees())
        #expect(!agrees(nil, nil))
        #expect(!agrees(now - Machine.year, now + 300_001))
        #expect(agrees(nil, now - 300_000))
        #expect(agrees(now + 300_000, now - Machine.year))
    }

    @Test("the mark of timesyncd agrees while it is as old as a poll at most, by the same clock")
    func synchronised() throws {
        let folder = try TemporaryFolder()
        let path = folder.url.appendingPathComponent("synchronized").path
        let witness = ClockWitness(reports: reports([]), path: path)
        #expect(!witness.agrees(with: now))
        try Data().write(to: URL(fileURLWithPath: path))
        for (age, agrees) in [(0, true), (2_400_000, true), (2_401_000, false), (-5000, false)] {
            let touched = Double((now - Int64(age)).milliseconds) / 1000
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSince1970: touched)],
                ofItemAtPath: path
            )
            #expect(witness.agrees(with: now) == agrees, "\(age)")
        }
        try folder.remove()
    }
}
