import Glibc
import Synchronization

/// Hands elements to one thread that waits for them.
///
/// Not bounded here: the planner bounds what may be under way.
final class BatchQueue<Element: Sendable>: Sendable {
    private struct Content {
        var elements: [Element] = []
        var isClosed = false
    }

    private let content = Mutex(Content())
    private let available = Semaphore()

    /// False when the queue is closed.
    func put(_ element: Element) -> Bool {
        let isTaken = content.withLock { content in
            if !content.isClosed { content.elements.append(element) }
            return !content.isClosed
        }
        if isTaken { available.signal() }
        return isTaken
    }

    /// Waits for the next element, on one thread only; nil when the queue is closed and empty.
    func next() -> Element? {
        available.wait()
        return content.withLock { $0.elements.isEmpty ? nil : $0.elements.removeFirst() }
    }

    /// Takes no more; what is there is still handed out.
    func close() {
        content.withLock { $0.isClosed = true }
        available.signal()
    }
}

/// A counting semaphore of the C library.
final class Semaphore: @unchecked Sendable {
    // A sem_t must not move and is made for use from every thread.
    private let raw = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    init() {
        sem_init(raw, 0, 0)
    }

    deinit {
        sem_destroy(raw)
        raw.deallocate()
    }

    func signal() {
        sem_post(raw)
    }

    func wait() {
        while sem_wait(raw) != 0 {
            precondition(errno == EINTR, "sem_wait: \(systemErrorText(errno))")
        }
    }
}
