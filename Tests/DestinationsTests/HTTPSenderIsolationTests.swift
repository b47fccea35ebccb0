import Basics
import Delivery
import Destinations
import Foundation
import PartnerKit
import Testing

@Suite("One thread for all destinations, and its end")
struct HTTPSenderIsolationTests {
    /// Accepts connections and requests and never answers.
    private func blackHole() throws -> LoopbackServer {
        try LoopbackServer { connection in
            while connection.readRequest() != nil {}
        }
    }

    @Test("a destination that never answers does not hold up another one")
    func blackHoleAside() throws {
        let hole = try blackHole()
        let server = try LoopbackServer(answering: Answer.ok)
        try withSender { sender, outcomes in
            for token in 1000..<1008 {
                sender.submit(try request(to: hole, destination: "hole", token: UInt64(token)))
            }
            for token in 0..<100 {
                sender.submit(try request(to: server, token: UInt64(token)))
                #expect(try outcomes.wait(for: UInt64(token)).answer?.status == 200)
            }
            #expect(outcomes.all.keys.filter { $0 >= 1000 }.isEmpty)
            sender.stop(graceMilliseconds: 0)
            #expect(outcomes.all.count == 108)
        }
    }

    @Test("stop lets a request end within the grace")
    func graceUsed() throws {
        let stopSeen = DispatchSemaphore(value: 0)
        let slow = try LoopbackServer { connection in
            _ = connection.readRequest()
            stopSeen.wait()
            connection.send(Answer.ok)
        }
        let quick = try LoopbackServer(answering: Answer.ok)
        let outcomes = Outcomes<HTTPOutcome>()
        let sender = HTTPSender(clock: FixedClock.standard) { outcomes.add($0, $1) }
        sender.submit(try request(to: slow, token: 0))
        try slow.waitForRequest()
        let stopped = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            sender.stop(graceMilliseconds: 60_000)
            stopped.signal()
        }
        // Requests pass until the stop is under way; the first that does not shows that it is.
        var token: UInt64 = 0
        repeat {
            token += 1
            sender.submit(try request(to: quick, destination: "quick", token: token))
        } while try outcomes.wait(for: token).answer != nil
        stopSeen.signal()
        try #require(stopped.wait(timeout: .now() + 60) == .success, "stop does not return")
        #expect(outcomes.all[0]?.answer?.status == 200)
    }

    @Test("stop cuts what was sent as unknown and refuses what comes later as not sent")
    func graceOver() throws {
        let hole = try blackHole()
        let outcomes = Outcomes<HTTPOutcome>()
        let sender = HTTPSender(clock: FixedClock.standard) { outcomes.add($0, $1) }
        sender.submit(try request(to: hole, token: 1))
        try hole.waitForRequest()
        sender.stop(graceMilliseconds: 10)
        #expect(outcomes.all[1]?.unknownText?.contains("program stops") == true)
        sender.submit(try request(to: hole, token: 2))
        #expect(outcomes.all[2]?.notSentText?.contains("program stops") == true)
        sender.stop(graceMilliseconds: 0)
    }

    @Test("every one of many requests at once ends exactly once")
    func many() throws {
        let server = try LoopbackServer { connection in
            // Connections that end after a few requests make libcurl open new ones.
            for _ in 0..<7 {
                guard connection.readRequest() != nil else { return }
                connection.send(Answer.ok)
            }
        }
        try withSender { sender, outcomes in
            for token in 0..<300 {
                sender.submit(
                    try request(to: server, destination: "d\(token % 3)", token: UInt64(token))
                )
            }
            for token in 0..<300 {
                #expect(try outcomes.wait(for: UInt64(token)).answer?.status == 200)
            }
        }
    }

    @Test("a changed allow_private does not ride on a connection that the old one let through")
    func changedPolicy() throws {
        let server = try LoopbackServer(answering: Answer.ok)
        try withSender { sender, outcomes in
            var request = try request(to: server, token: 1)
            sender.submit(request)
            #expect(try outcomes.wait(for: 1).answer?.status == 200)
            request.policy = try AddressPolicy(allowPrivate: ["10.0.0.0/8"])
            request.token = 2
            sender.submit(request)
            #expect(try outcomes.wait(for: 2).notSentText?.contains("allow_private") == true)
        }
        #expect(server.requests.count == 1)
    }
}
