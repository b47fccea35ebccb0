import Glibc
import Synchronization
import Testing
import Threads

@Suite("Threads of our own")
struct SystemThreadTests {
    private final class Flag: Sendable {
        let isSet = Atomic(false)
    }

    @Test("joining returns when the function has ended, on another thread")
    func joined() {
        let here = pthread_self()
        let (ended, other) = (Flag(), Flag())
        let thread = SystemThread {
            other.isSet.store(pthread_equal(pthread_self(), here) == 0, ordering: .relaxed)
            ended.isSet.store(true, ordering: .releasing)
        }
        thread.join()
        let (hasEnded, isOther) = (
            ended.isSet.load(ordering: .acquiring), other.isSet.load(ordering: .relaxed)
        )
        #expect(hasEnded)
        #expect(isOther)
    }

    @Test("a detached thread runs its function")
    func detached() {
        let mailbox = Mailbox<Int>(capacity: 1)
        #expect(SystemThread.detached { mailbox.post(3) })
        #expect(mailbox.next() == 3)
    }

    @Test("signals are left to the other threads, faults are not")
    func signals() {
        let blocked = Mailbox<Set<Int32>>(capacity: 2)
        let read: @Sendable () -> Void = {
            var signals = sigset_t()
            pthread_sigmask(SIG_BLOCK, nil, &signals)
            blocked.post(Set((1...31).filter { sigismember(&signals, $0) == 1 }))
        }
        let thread = SystemThread(run: read)
        thread.join()
        #expect(SystemThread.detached(run: read))
        for _ in 0..<2 {
            let signals = blocked.next() ?? []
            #expect(signals.isSuperset(of: [SIGPIPE, SIGTERM, SIGINT, SIGHUP]))
            #expect(signals.isDisjoint(with: [SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT]))
        }
    }
}
