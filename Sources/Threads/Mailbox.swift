import Glibc

/// A bounded queue between threads: posting blocks while it is full, so nothing is lost and nobody runs ahead.
///
/// Exchange batches, not events: every call takes a lock.
package final class Mailbox<Message: Sendable>: @unchecked Sendable {
    // `lock` protects everything below it; `changed` is signalled after each change.
    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let capacity: Int
    private var messages: [Message] = []
    private var isClosed = false

    /// An empty mailbox that holds at most `capacity` messages.
    package init(capacity: Int) {
        precondition(capacity > 0, "a mailbox of \(capacity)")
        self.capacity = capacity
        pthread_mutex_init(lock, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        // Deadlines must not move with the wall clock.
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(changed, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(lock)
        changed.deallocate()
        lock.deallocate()
    }

    /// Adds a message, waiting while the mailbox is full; false once it is closed.
    @discardableResult
    package func post(_ message: Message) -> Bool {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        while messages.count >= capacity, !isClosed { pthread_cond_wait(changed, lock) }
        if isClosed { return false }
        messages.append(message)
        pthread_cond_broadcast(changed)
        return true
    }

    /// Adds a message even where the mailbox is full: for the few that must not wait.
    package func postAtOnce(_ message: Message) {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        if isClosed { return }
        messages.append(message)
        pthread_cond_broadcast(changed)
    }

    /// Takes everything there is, waiting up to `timeoutMilliseconds` for a first message.
    package func takeAll(timeoutMilliseconds: Int64) -> [Message] {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        if messages.isEmpty, timeoutMilliseconds > 0, !isClosed {
            var deadline = timespec()
            clock_gettime(CLOCK_MONOTONIC, &deadline)
            deadline.tv_sec += Int(timeoutMilliseconds / 1000)
            deadline.tv_nsec += Int(timeoutMilliseconds % 1000) * 1_000_000
            if deadline.tv_nsec >= 1_000_000_000 {
                deadline.tv_nsec -= 1_000_000_000
                deadline.tv_sec += 1
            }
            while messages.isEmpty, !isClosed {
                if pthread_cond_timedwait(changed, lock, &deadline) == ETIMEDOUT { break }
            }
        }
        let taken = messages
        messages = []
        if !taken.isEmpty { pthread_cond_broadcast(changed) }
        return taken
    }

    /// Takes the oldest message, waiting until there is one; nil once the mailbox is closed and empty.
    package func next() -> Message? {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        while messages.isEmpty, !isClosed { pthread_cond_wait(changed, lock) }
        if messages.isEmpty { return nil }
        pthread_cond_broadcast(changed)
        return messages.removeFirst()
    }

    /// Refuses further messages and wakes everyone who waits; what is there is still handed out.
    package func close() {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        isClosed = true
        pthread_cond_broadcast(changed)
    }
}
