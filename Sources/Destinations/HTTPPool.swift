import Basics
import CCurl
import Delivery
import Glibc
import Threads

/// The requests and kept connections of one destination under one address policy.
///
/// A pool has a multi handle of its own, because libcurl keeps connections per multi handle: a
/// connection that one destination's `allow_private` let through must never carry another's
/// request. The loop polls the sockets of all pools; libcurl tells which ones and until when.
/// Belongs to the loop's thread.
final class HTTPPool {
    /// The sockets to wait for and the events of `poll` each waits for.
    private(set) var interest: [Int32: Int16] = [:]
    /// When libcurl wants to be called without an event, by `monotonicMilliseconds`.
    private var deadline: Int64?
    private let multi: UnsafeMutableRawPointer
    private var transfers: [UnsafeMutableRawPointer: HTTPTransfer] = [:]
    private var idleHandles: [EasyHandle] = []

    /// Handles kept for the next requests, each with its TLS sessions.
    private static let idleHandlesMax = 8

    /// A pool, or nil when there is no memory for one.
    init?() {
        guard let multi = curl_multi_init() else { return nil }
        self.multi = multi
        let context = Unmanaged.passUnretained(self).toOpaque()
        guard cohortd_curl_multi_set_socket(multi, watchSocket, context) == CURLM_OK,
            cohortd_curl_multi_set_timer(multi, setTimer, context) == CURLM_OK
        else { return nil }
    }

    deinit {
        // The end of the multi handle must not call back into an object that is going.
        cohortd_curl_multi_set_socket(multi, nil, nil)
        cohortd_curl_multi_set_timer(multi, nil, nil)
        for transfer in transfers.values { curl_multi_remove_handle(multi, transfer.handle.raw) }
        transfers = [:]
        idleHandles = []
        curl_multi_cleanup(multi)
    }

    /// Whether no request is under way.
    var isIdle: Bool { transfers.isEmpty }

    /// When the pool wants `advance` at the latest; nil for no time of its own.
    var nextDeadline: Int64? { deadline }

    /// Starts a request; the text of the failure if libcurl cannot even begin.
    func start(_ request: HTTPRequest, authorities: String?) -> String? {
        guard let handle = idleHandles.popLast() ?? EasyHandle() else {
            return "\(request.url.target): no memory for a request; give the process more"
        }
        let transfer = HTTPTransfer(request, handle: handle)
        if let failure = transfer.prepare(request, authorities: authorities) {
            return "\(request.url.target): libcurl refuses the request: \(failure)"
        }
        let code = curl_multi_add_handle(multi, handle.raw)
        guard code == CURLM_OK else {
            return "\(request.url.target): libcurl takes no request: "
                + String(cString: curl_multi_strerror(code))
        }
        transfers[handle.raw] = transfer
        return nil
    }

    /// Lets libcurl act on a socket that `poll` reported.
    func advance(socket: Int32, events: Int16) {
        // A socket that is gone would be reported for ever.
        if events & Int16(POLLNVAL) != 0 { interest[socket] = nil }
        var mask: Int32 = 0
        if events & Int16(POLLIN) != 0 { mask |= CURL_CSELECT_IN }
        if events & Int16(POLLOUT) != 0 { mask |= CURL_CSELECT_OUT }
        if events & Int16(POLLERR | POLLHUP | POLLNVAL) != 0 { mask |= CURL_CSELECT_ERR }
        act(socket, mask)
    }

    /// Lets libcurl act on its time, if that has come.
    func advance(to now: Int64) {
        guard let deadline, deadline <= now else { return }
        self.deadline = nil
        act(cohortd_curl_socket_timeout, 0)
    }

    /// Takes the requests that ended.
    func takeEnded(now: () -> EventTime) -> [(token: UInt64, outcome: HTTPOutcome)] {
        var ended: [(token: UInt64, outcome: HTTPOutcome)] = []
        var waiting: Int32 = 0
        while let message = curl_multi_info_read(multi, &waiting) {
            guard message.pointee.msg == CURLMSG_DONE,
                let raw = message.pointee.easy_handle,
                let transfer = transfers.removeValue(forKey: raw)
            else { continue }
            let result = cohortd_curl_message_result(message)
            // From here on the message is libcurl's again.
            curl_multi_remove_handle(multi, raw)
            ended.append((transfer.token, transfer.outcome(result, now: now())))
            transfer.handle.reset()
            if idleHandles.count < Self.idleHandlesMax { idleHandles.append(transfer.handle) }
        }
        return ended
    }

    /// Ends every request at once.
    func cut() -> [(token: UInt64, outcome: HTTPOutcome)] {
        let ended = transfers.values.map { (token: $0.token, outcome: $0.cutOutcome) }
        for transfer in transfers.values { curl_multi_remove_handle(multi, transfer.handle.raw) }
        transfers = [:]
        return ended
    }

    private func act(_ socket: curl_socket_t, _ mask: Int32) {
        var running: Int32 = 0
        let code = curl_multi_socket_action(multi, socket, mask, &running)
        precondition(
            code == CURLM_OK,
            "libcurl's loop: \(String(cString: curl_multi_strerror(code))) (socket \(socket))"
        )
    }

    fileprivate func watch(_ socket: curl_socket_t, what: Int32) {
        switch what {
        case CURL_POLL_IN: interest[socket] = Int16(POLLIN)
        case CURL_POLL_OUT: interest[socket] = Int16(POLLOUT)
        case CURL_POLL_INOUT: interest[socket] = Int16(POLLIN | POLLOUT)
        default: interest[socket] = nil
        }
    }

    fileprivate func setDeadline(milliseconds: Int) {
        deadline =
            milliseconds < 0 ? nil : SystemClock().monotonicMilliseconds + Int64(milliseconds)
    }
}

private func watchSocket(
    handle: UnsafeMutableRawPointer?,
    socket: curl_socket_t,
    what: Int32,
    context: UnsafeMutableRawPointer?,
    socketContext: UnsafeMutableRawPointer?
) -> Int32 {
    guard let context else { return 0 }
    Unmanaged<HTTPPool>.fromOpaque(context).takeUnretainedValue().watch(socket, what: what)
    return 0
}

private func setTimer(
    multi: UnsafeMutableRawPointer?,
    milliseconds: Int,
    context: UnsafeMutableRawPointer?
) -> Int32 {
    guard let context else { return 0 }
    Unmanaged<HTTPPool>.fromOpaque(context).takeUnretainedValue()
        .setDeadline(milliseconds: milliseconds)
    return 0
}
