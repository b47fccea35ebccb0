import Basics
import LogStore
import TestKit
import Testing

/// Operations that fail while the process goes on.
@Suite("Failing operations")
struct FaultTests {
    static let noSpace: Int32 = 28
    static let ioError: Int32 = 5

    /// Commits eight groups and one rewrite; what fails is tried again as long as the error says it may be.
    struct Run {
        var state = Contents.State()
        /// States that may be found: the last commit that returned, and all tried after it.
        var accepted: [Contents.State] = [Contents.State()]
        var problem: StoreError?

        mutating func run(_ disk: SimulatedDisk) {
            do throws(StoreError) {
                var found = Contents()
                var log = try SimulatedLog.open(disk, into: &found)
                var generator = SeededGenerator(seed: 7)
                for number in 0..<8 as Range<UInt8> {
                    state.values[number] = noise(300, &generator)
                    state.cut = [number]
                    accepted.append(state)
                    try insist { () throws(StoreError) in
                        log.append(1, [number] + (state.values[number] ?? []))
                        try [number].withByteView { (cut) throws(StoreError) in
                            try log.commit(cut: cut)
                        }
                    }
                    accepted = [state]
                    guard number == 4 else { continue }
                    try insist { () throws(StoreError) in
                        try log.beginRewrite()
                        for (key, value) in state.values { log.append(1, [key] + value) }
                        try [number].withByteView { (cut) throws(StoreError) in
                            try log.finishRewrite(cut: cut)
                        }
                    }
                }
                try log.close()
            } catch {
                problem = error
            }
        }

        /// Three tries while the error is one that may go away.
        private func insist(_ body: () throws(StoreError) -> Void) throws(StoreError) {
            for _ in 0..<2 {
                do throws(StoreError) {
                    return try body()
                } catch {
                    guard error.isRetriable else { throw error }
                }
            }
            try body()
        }
    }

    static let operations: Int = {
        let disk = SimulatedDisk()
        var run = Run()
        run.run(disk)
        precondition(run.problem == nil)
        return disk.operations
    }()

    @Test(
        "an error at any operation, once: what returned is there, after a restart and after a power loss",
        arguments: [noSpace, ioError]
    )
    func once(code: Int32) throws {
        for operation in 0..<Self.operations {
            let disk = SimulatedDisk(seed: UInt64(operation))
            disk.faults[operation] = .error(code)
            var run = Run()
            run.run(disk)
            try Self.check(run, disk.afterKill(), "error \(code) at \(operation)")
            for seed in 0..<2 as Range<UInt64> {
                try Self.check(
                    run,
                    disk.afterPowerLoss(seed: seed),
                    "error \(code) at \(operation), power loss \(seed)"
                )
            }
        }
    }

    @Test(
        "an error at any operation and at all after it: what returned is there",
        arguments: [noSpace, ioError]
    )
    func sticky(code: Int32) throws {
        for operation in 0..<Self.operations {
            let disk = SimulatedDisk(seed: UInt64(operation))
            disk.stickyFault = (operation, .error(code))
            var run = Run()
            run.run(disk)
            #expect(run.problem != nil || operation >= Self.operations - 4, "at \(operation)")
            try Self.check(run, disk.afterKill(), "errors \(code) from \(operation)")
            try Self.check(
                run,
                disk.afterPowerLoss(seed: 1),
                "errors \(code) from \(operation), power loss"
            )
        }
    }

    @Test("no space for a write, once: nothing is lost and no restart is needed")
    func spaceComesBack() throws {
        for operation in 0..<Self.operations {
            let disk = SimulatedDisk(seed: UInt64(operation))
            disk.faultyOperations = [.write]
            disk.faults[operation] = .error(Self.noSpace)
            var run = Run()
            run.run(disk)
            // Opening is not repeated here; everything after it is, but for the root, which is overwritten in
            // place and so needs no space on a real disk.
            if case .syncFailed(let cause)? = run.problem {
                #expect(cause.path.contains("ROOT"), "at \(operation)")
            } else if run.state.cut != nil {
                #expect(run.problem == nil, "at \(operation)")
            }
            try Self.check(run, disk.afterKill(), "no space at \(operation)")
        }
    }

    @Test(
        "a disk that is full at any number of bytes keeps what was committed and goes on when it is not"
    )
    func diskFull() throws {
        var last = Contents.State()
        for capacity in stride(from: 1300, to: 6000, by: 61) {
            let disk = SimulatedDisk(seed: UInt64(capacity))
            var run = Run()
            disk.capacity = capacity
            run.run(disk)
            if let problem = run.problem { #expect(problem.isRetriable, "\(capacity): \(problem)") }
            disk.capacity = nil
            try Self.check(run, disk.afterKill(), "\(capacity) bytes")
            last = run.state
        }
        #expect(last.cut == [7])
    }

    @Test(
        "after a commit that found no space the whole state is written anew, whatever was committed before",
        arguments: Array(stride(from: 0, to: 2400, by: 80))
    )
    func rewriteAfterFullDisk(room: Int) throws {
        let disk = SimulatedDisk(seed: UInt64(room))
        var found = Contents()
        var log = try SimulatedLog.open(disk, into: &found)
        disk.capacity = files(disk).values.reduce(room) { $0 + $1.count }
        var generator = SeededGenerator(seed: 7)
        var state = Contents.State()
        var error: StoreError?
        for number in 0..<8 as Range<UInt8> where error == nil {
            state.values[number] = noise(300, &generator)
            log.append(1, [number] + (state.values[number] ?? []))
            do throws(StoreError) { try log.commit("\(number)") } catch let found { error = found }
        }
        #expect(error?.isRetriable == true)
        // While there is no more room, trying costs nothing.
        for _ in 0..<3 {
            do throws(StoreError) {
                try log.rewrite(state.values, "full")
            } catch {
                #expect(error.isRetriable)
            }
        }
        disk.capacity = nil
        try log.rewrite(state.values, "anew")
        state.values[9] = [9]
        state.cut = Array("next".utf8)
        log.append(1, [9, 9])
        try log.commit("next")
        try log.close()
        #expect(try contents(of: disk.afterKill()).state == state)
        #expect(try contents(of: disk.afterPowerLoss(seed: 1)).state == state)
    }

    @Test("a sync that fails once ends the log: nothing is written after it, the error says so")
    func syncFails() throws {
        let disk = SimulatedDisk()
        var found = Contents()
        var log = try SimulatedLog.open(disk, into: &found)
        log.append(1, [1])
        try log.commit("a")
        disk.faultyOperations = [.synchronize]
        disk.stickyFault = (0, .error(Self.ioError))
        log.append(1, [2])
        var errors: [StoreError] = []
        do throws(StoreError) { try log.commit("b") } catch { errors.append(error) }
        disk.stickyFault = nil
        let changes = disk.changes
        do throws(StoreError) { try log.commit("c") } catch { errors.append(error) }
        do throws(StoreError) { try log.beginRewrite() } catch { errors.append(error) }
        #expect(disk.changes == changes)
        #expect(errors.count == 3)
        for error in errors {
            guard case .syncFailed(let cause) = error else {
                Issue.record("\(error)")
                continue
            }
            #expect(
                cause.operation == .synchronize && cause.path == "/log/wal-1" && cause.code == 5
            )
            #expect(error.exitCode == 74 && !error.isRetriable)
        }
    }

    private static func check(_ run: Run, _ disk: SimulatedDisk, _ what: String) throws {
        var found = Contents()
        do throws(StoreError) {
            try SimulatedLog.open(disk, into: &found).close()
            #expect(
                run.accepted.contains(found.state),
                "\(what): \(found.cuts), \(run.problem as Any)"
            )
        } catch {
            Issue.record("\(what): \(error)")
        }
    }
}

extension CommitLog {
    /// Writes these values as the whole state.
    fileprivate mutating func rewrite(
        _ values: [UInt8: [UInt8]],
        _ cut: String
    ) throws(StoreError) {
        try beginRewrite()
        for (key, value) in values { append(1, [key] + value) }
        try finishRewrite(cut)
    }
}
