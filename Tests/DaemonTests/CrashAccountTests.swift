import Basics
import Foundation
import LogStore
import Telemetry
import TestKit
import Testing
import Threads

@testable import Daemon

@Suite("The account of records that ended the process")
struct CrashAccountTests {
    private func record(_ offset: Offset, _ partition: PartitionID = 0) -> CrashAccount.Record {
        CrashAccount.Record(topic: "events", partition: partition, offset: offset)
    }

    @Test("the third end in a row with a record in hand sets it aside, for good")
    func third() {
        var account = CrashAccount()
        #expect(account.count([record(5)], run: 1).map(\.count) == [1])
        #expect(account.count([record(5)], run: 2).map(\.count) == [2])
        #expect(account.setAside(of: "events", 0) == [])
        #expect(account.count([record(5)], run: 3).map(\.count) == [3])
        #expect(account.setAside(of: "events", 0) == [5])
        #expect(account.setAside(of: "events", 1) == [])
        #expect(account.setAside(of: "commands", 0) == [])
        _ = account.count([record(9)], run: 4)
        #expect(account.setAside(of: "events", 0) == [5])
    }

    @Test("what was in hand beside the guilty one is no suspect any more at the next end")
    func innocent() {
        var account = CrashAccount()
        for run in 1...3 {
            _ = account.count([record(Offset(run * 10), 1), record(5)], run: Int64(run))
        }
        #expect(account.counts == [record(5): 3])
    }

    @Test("ends at ever other records, as a kill makes them, set nothing aside")
    func kills() {
        var account = CrashAccount()
        for run in 1...50 {
            _ = account.count([record(Offset(run), 0), record(Offset(run), 1)], run: Int64(run))
        }
        #expect(account.setAside(of: "events", 0) == [])
        #expect(account.counts.values.allSatisfy { $0 == 1 })
    }

    @Test("a run is counted once, and one with nothing in hand changes nothing")
    func once() {
        var account = CrashAccount()
        _ = account.count([record(5)], run: 1)
        #expect(account.count([record(5)], run: 1).isEmpty)
        #expect(account.count([], run: 2).isEmpty)
        #expect(account.counts == [record(5): 1])
    }

    @Test("the text gives the same account back")
    func text() {
        var account = CrashAccount()
        for run in 1...3 { _ = account.count([record(5)], run: Int64(run)) }
        _ = account.count([record(1, 7), record(2, 3)], run: 4)
        #expect(CrashAccount(text: account.text) == account)
        #expect(account.text == "run 4\nevents 0 5 3\nevents 3 2 1\nevents 7 1 1\n")
    }

    @Test(
        "another text is none",
        arguments: [
            "", "run", "run x\n", "run 1\nevents 0 5\n", "run 1\nevents 0 5 4\n",
            "run 1\nevents -1 5 1\n",
        ]
    )
    func damaged(text: String) {
        #expect(CrashAccount(text: text) == nil)
    }
}

@Suite("The file of what is in hand")
struct HandFileTests {
    private func bytes(_ path: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: path)))
    }

    @Test("it says what each thread had in hand, while the process runs and after it")
    func hands() throws {
        let folder = try TemporaryFolder()
        let path = folder.url.appendingPathComponent("in-hand").path
        let hands = try HandFile(path: path, run: 7, count: 3).hands
        var read = try #require(HandFile.read(try bytes(path)))
        #expect(read.run == 7)
        #expect(read.records.isEmpty)
        hands[0].take(isCommand: false, partition: 4, offset: 1 << 40)
        hands[2].take(isCommand: true, partition: 0, offset: 0)
        read = try #require(HandFile.read(try bytes(path)))
        #expect(
            read.records == [
                Hand.Record(isCommand: false, partition: 4, offset: 1 << 40),
                Hand.Record(isCommand: true, partition: 0, offset: 0),
            ]
        )
        hands[0].letGo()
        hands[2].letGo()
        #expect(try #require(HandFile.read(try bytes(path))).records.isEmpty)
        try folder.remove()
    }

    @Test("bytes of no such file say nothing")
    func foreign() throws {
        let folder = try TemporaryFolder()
        let path = folder.url.appendingPathComponent("in-hand").path
        _ = try HandFile(path: path, run: 1, count: 2)
        let whole = try bytes(path)
        #expect(HandFile.read([]) == nil)
        #expect(HandFile.read([UInt8](repeating: 0xff, count: 4096)) == nil)
        for length in 0..<whole.count { #expect(HandFile.read(Array(whole[..<length])) == nil) }
        #expect(HandFile.read(whole) != nil)
        try folder.remove()
    }

    @Test("a guard counts what the last run had in hand, and says when it sets aside")
    func guarding() throws {
        let folder = try TemporaryFolder()
        let directory = try DataDirectory.open(
            DiskFileSystem(),
            path: folder.url.path,
            processID: 1,
            newStore: StoreID(high: 1, low: 2)
        )
        let files = directory.smallFiles
        let lines = Locked<[String]>([])
        let logger = Logger(level: .info, format: .text, clock: SystemClock()) { line in
            lines.withLock { $0.append(String(decoding: line, as: UTF8.self)) }
        }
        func started() -> CrashGuard {
            CrashGuard(
                files,
                threads: 2,
                topic: "events",
                commandsTopic: "commands",
                logger: logger
            )
        }
        for run in 0..<3 {
            let guarding = started()
            #expect(guarding.account.setAside(of: "commands", 2).isEmpty)
            guarding.hands[1].take(isCommand: true, partition: 2, offset: 40)
            guarding.hands[0].take(isCommand: false, partition: 0, offset: Offset(run))
        }
        #expect(started().account.setAside(of: "commands", 2) == [40])
        #expect(started().account.setAside(of: "commands", 2) == [40])
        let text = lines.withLock { $0.joined() }
        #expect(text.contains("crash_set_aside"))
        #expect(text.contains("topic=commands partition=2 offset=40 times=3"))
        #expect(!text.contains("crash_guard"))
        try folder.remove()
    }
}
