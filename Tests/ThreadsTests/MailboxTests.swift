import Testing
import Threads

@Suite("The mailbox between threads")
struct MailboxTests {
    @Test("messages are taken in the order in which they were posted, singly or all")
    func order() {
        let mailbox = Mailbox<Int>(capacity: 4)
        for number in 1...4 { #expect(mailbox.post(number)) }
        #expect(mailbox.next() == 1)
        #expect(mailbox.takeAll(timeoutMilliseconds: 0) == [2, 3, 4])
        #expect(mailbox.takeAll(timeoutMilliseconds: 0) == [])
    }

    @Test("a closed mailbox takes no more and hands out what is there")
    func closed() {
        let mailbox = Mailbox<Int>(capacity: 4)
        for number in 1...3 { mailbox.post(number) }
        mailbox.close()
        #expect(!mailbox.post(4))
        mailbox.postAtOnce(5)
        #expect(mailbox.next() == 1)
        #expect(mailbox.takeAll(timeoutMilliseconds: 60_000) == [2, 3])
        #expect(mailbox.takeAll(timeoutMilliseconds: 60_000) == [])
        #expect(mailbox.next() == nil)
    }

    @Test("who posts into a full mailbox waits, so it never holds more than its capacity")
    func bounded() {
        let mailbox = Mailbox<Int>(capacity: 3)
        let poster = SystemThread {
            for number in 0..<2000 { mailbox.post(number) }
            mailbox.close()
        }
        var taken: [Int] = []
        var mostAtOnce = 0
        while let number = mailbox.next() {
            let more = mailbox.takeAll(timeoutMilliseconds: 0)
            mostAtOnce = max(mostAtOnce, more.count)
            taken.append(number)
            taken += more
        }
        poster.join()
        #expect(taken == Array(0..<2000))
        #expect(mostAtOnce <= 3)
    }

    @Test("what must not wait goes in where the mailbox is full")
    func atOnce() {
        let mailbox = Mailbox<Int>(capacity: 1)
        mailbox.post(1)
        mailbox.postAtOnce(2)
        #expect(mailbox.takeAll(timeoutMilliseconds: 0) == [1, 2])
    }

    @Test("closing wakes who waits for room, and says that the message was not taken")
    func closingWakesPoster() {
        let mailbox = Mailbox<Int>(capacity: 1)
        mailbox.post(1)
        let outcome = Mailbox<Bool>(capacity: 1)
        let poster = SystemThread { outcome.post(mailbox.post(2)) }
        mailbox.close()
        poster.join()
        #expect(outcome.takeAll(timeoutMilliseconds: 0) == [false])
        #expect(mailbox.next() == 1)
        #expect(mailbox.next() == nil)
    }

    @Test("closing wakes who waits for a message")
    func closingWakesTaker() {
        let mailbox = Mailbox<Int>(capacity: 1)
        let outcome = Mailbox<Int?>(capacity: 1)
        let taker = SystemThread { outcome.post(mailbox.next()) }
        mailbox.close()
        taker.join()
        #expect(outcome.takeAll(timeoutMilliseconds: 0) == [nil])
    }

    @Test("taking with a timeout ends with the first message, or when the time is up")
    func timeout() {
        let mailbox = Mailbox<Int>(capacity: 1)
        let clock = SystemClock()
        let began = clock.monotonicMilliseconds
        #expect(mailbox.takeAll(timeoutMilliseconds: 30) == [])
        // The clock that is read counts whole milliseconds.
        #expect(clock.monotonicMilliseconds - began >= 29)
        let poster = SystemThread { mailbox.post(7) }
        #expect(mailbox.takeAll(timeoutMilliseconds: 600_000) == [7])
        poster.join()
    }
}
