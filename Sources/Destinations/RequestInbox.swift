import Basics
import Glibc
import Synchronization

/// Carries requests to the loop's thread and wakes it.
final class RequestInbox: Sendable {
    private struct Content {
        var requests: [HTTPRequest] = []
        var stopDeadline: Int64?
        var isClosed = false
    }

    private let content = Mutex(Content())
    private let readEnd: Int32
    private let writeEnd: Int32

    init() {
        var ends: [Int32] = [-1, -1]
        let status = pipe(&ends)
        precondition(status == 0, "no pipe can be made: \(SystemError.text(errno))")
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        readEnd = ends[0]
        writeEnd = ends[1]
    }

    deinit {
        close(readEnd)
        close(writeEnd)
    }

    /// What `poll` waits on.
    var descriptor: Int32 { readEnd }

    /// False when nobody will take it any more.
    func put(_ request: HTTPRequest) -> Bool {
        let isTaken = content.withLock { content in
            if !content.isClosed { content.requests.append(request) }
            return !content.isClosed
        }
        if isTaken { wake() }
        return isTaken
    }

    func stop(at deadline: Int64) {
        content.withLock { $0.stopDeadline = $0.stopDeadline ?? deadline }
        wake()
    }

    /// What came since the last call.
    func take() -> (requests: [HTTPRequest], stopDeadline: Int64?) {
        var bytes: [UInt8] = Array(repeating: 0, count: 64)
        while read(readEnd, &bytes, bytes.count) == bytes.count {}
        return content.withLock { content in
            defer { content.requests = [] }
            return (content.requests, content.stopDeadline)
        }
    }

    /// Refuses everything from now on; returns what came last.
    func close() -> [HTTPRequest] {
        content.withLock { content in
            content.isClosed = true
            defer { content.requests = [] }
            return content.requests
        }
    }

    /// A full pipe wakes as well, so the result does not matter.
    private func wake() {
        _ = write(writeEnd, [1], 1)
    }

    private func close(_ descriptor: Int32) {
        _ = Glibc.close(descriptor)
    }
}
