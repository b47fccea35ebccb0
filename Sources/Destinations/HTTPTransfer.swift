import Basics
import CCurl
import Delivery
import Glibc

/// One request under way: vets the addresses dialled, collects the answer within bounds, and says
/// in the end what happened.
///
/// Belongs to the loop's thread; libcurl's callbacks hold an unretained pointer to it, so its owner
/// keeps it until the handle is out of the multi handle.
final class HTTPTransfer {
    let token: UInt64
    let handle: EasyHandle
    private let url: DestinationURL
    private let policy: AddressPolicy
    private let timeoutMilliseconds: Int
    private var refusal: AddressError?
    private var socketError: Int32 = 0
    private var headerByteCount = 0
    private var headers: [(name: String, value: String)] = []
    private var body: [UInt8] = []
    private var isBodyCut = false

    init(_ request: HTTPRequest, handle: EasyHandle) {
        token = request.token
        url = request.url
        policy = request.policy
        timeoutMilliseconds = request.timeoutMilliseconds
        self.handle = handle
    }

    /// Sets the handle up; the text of what libcurl refused, if it did.
    func prepare(_ request: HTTPRequest, authorities: String?) -> String? {
        handle.note(cohortd_curl_set_open_socket(handle.raw, openSocket))
        handle.note(cohortd_curl_set_before_request(handle.raw, beforeRequest))
        handle.note(cohortd_curl_set_header_callback(handle.raw, receiveHeader))
        handle.note(cohortd_curl_set_body_callback(handle.raw, receiveBody))
        return handle.prepare(
            method: request.method,
            url: url.text,
            isPlain: url.isPlain,
            headers: request.headers,
            body: request.body,
            timeoutMilliseconds: timeoutMilliseconds,
            authorities: authorities,
            isSignalSafe: true,
            context: Unmanaged.passUnretained(self).toOpaque()
        )
    }

    /// What happened, once libcurl is done with it.
    func outcome(_ code: CURLcode, now: EventTime) -> HTTPOutcome {
        let status = handle.status
        if status > 0, code == CURLE_OK || isBodyCut {
            var answer = HTTPAnswer(
                status: status,
                headers: headers,
                bodyPrefix: body,
                isBodyCut: isBodyCut,
                redirectHost: handle.redirectURL.flatMap(Self.host)
            )
            answer.retryAfterMilliseconds = answer.header("Retry-After").flatMap {
                RetryAfter.milliseconds($0, now: now)
            }
            return .answered(answer)
        }
        let text = reason(code)
        return handle.requestByteCount == 0 ? .notSent(text) : .unknown(text)
    }

    /// What is known of it when it is cut off before its end.
    var cutOutcome: HTTPOutcome {
        let text =
            "\(url.target): cut off because the program stops; it is sent again after the start"
        return handle.requestByteCount == 0 ? .notSent(text) : .unknown(text)
    }

    /// The host of a redirect; the rest of such a URL is the receiver's choice and may be anything.
    private static func host(ofRedirect text: String) -> String? {
        do {
            let host = try URLParts(text).host
            let isPlain = host.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f }
            return isPlain && host.utf8.count <= 253 ? host : nil
        } catch {
            return nil
        }
    }

    private func reason(_ code: CURLcode) -> String {
        if let refusal { return refusal.description }
        return "\(url.target): \(explanation(code))"
    }

    private func explanation(_ code: CURLcode) -> String {
        let sent = handle.requestByteCount > 0
        let timeout = DurationText.text(milliseconds: Int64(timeoutMilliseconds))
        switch code {
        case CURLE_COULDNT_RESOLVE_HOST:
            return "the name is not found; check the host of url, or DNS"
        case CURLE_COULDNT_CONNECT:
            let number = socketError != 0 ? socketError : handle.systemError
            let cause = number == 0 ? "no address answers" : SystemError.text(number)
            return "no connection: \(cause); check host and port of url, and that the receiver runs"
        case CURLE_OPERATION_TIMEDOUT:
            return sent
                ? "no whole answer within \(timeout); make the receiver answer before it works, "
                    + "or raise timeout"
                : "no connection in time (timeout \(timeout)); check host and port of url, and firewalls"
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CACERT_BADFILE,
            CURLE_SSL_ISSUER_ERROR, CURLE_SSL_CERTPROBLEM:
            return "TLS: \(handle.detail.prefix(160)); give the receiver a valid certificate, or "
                + "trust its authority on this machine"
        case CURLE_GOT_NOTHING, CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_PARTIAL_FILE,
            CURLE_ABORTED_BY_CALLBACK:
            return "the connection broke before the answer was whole; look at the receiver's log"
        case CURLE_WRITE_ERROR where headerByteCount > HTTPAnswer.headerBytesMax:
            return "the headers of the answer are over 32 KiB; look at what answers there"
        case CURLE_UNSUPPORTED_PROTOCOL, CURLE_WEIRD_SERVER_REPLY:
            return "the answer is not HTTP; check host and port of url"
        default:
            return "\(String(cString: curl_easy_strerror(code))) (libcurl \(code.rawValue))"
        }
    }
}

/// What libcurl's callbacks do; none of them may throw or wait.
extension HTTPTransfer {
    /// Makes the socket for an address about to be dialled, or refuses it.
    fileprivate func socket(for address: UnsafeMutablePointer<curl_sockaddr>) -> curl_socket_t {
        let described = NetworkAddress(
            socketAddress: cohortd_curl_address(address),
            count: Int(address.pointee.addrlen)
        )
        guard refusal == nil, let described else {
            socketError = EAFNOSUPPORT
            return cohortd_curl_socket_bad
        }
        do {
            try policy.check(described, isPlain: url.isPlain, target: url.target)
        } catch {
            // A name with one forbidden address gets no second chance with another one.
            refusal = error
            return cohortd_curl_socket_bad
        }
        let descriptor = Glibc.socket(
            address.pointee.family,
            address.pointee.socktype | Int32(SOCK_CLOEXEC.rawValue),
            address.pointee.protocol
        )
        if descriptor < 0 { socketError = errno }
        return descriptor
    }

    /// Whether the request may be written to a connection that is there; false ends the transfer.
    ///
    /// libcurl sends a request again by itself when a kept connection dies with it: unseen by the limits, which
    /// counted one, and by whoever has to know that its effect is unknown.
    fileprivate var mayWrite: Bool { handle.requestByteCount == 0 }

    /// Takes one line of the answer's head; false ends the transfer.
    fileprivate func receive(header line: UnsafeRawBufferPointer) -> Bool {
        headerByteCount += line.count
        guard headerByteCount <= HTTPAnswer.headerBytesMax else { return false }
        if line.starts(with: "HTTP/".utf8) {
            // What came before was of a preliminary answer, such as 103.
            headers = []
        } else if let colon = line.firstIndex(of: UInt8(ascii: ":")) {
            let name = String(decoding: line[..<colon], as: UTF8.self)
            headers.append((name, Self.trimmed(line[(colon + 1)...])))
        }
        return true
    }

    /// A header's value without the white space around it, the end of the line above all.
    private static func trimmed(_ bytes: Slice<UnsafeRawBufferPointer>) -> String {
        func isBlank(_ byte: UInt8) -> Bool {
            byte == 0x20 || byte == 0x09 || byte == 0x0d || byte == 0x0a
        }
        let front = bytes.drop(while: isBlank)
        guard let last = front.lastIndex(where: { !isBlank($0) }) else { return "" }
        return String(decoding: front[...last], as: UTF8.self)
    }

    /// Takes a piece of the body; false ends the transfer.
    fileprivate func receive(body bytes: UnsafeRawBufferPointer) -> Bool {
        let room = HTTPAnswer.bodyBytesMax - body.count
        body.append(contentsOf: bytes.prefix(room))
        isBodyCut = bytes.count > room
        return !isBodyCut
    }
}

private func transfer(_ context: UnsafeMutableRawPointer?) -> HTTPTransfer? {
    context.map { Unmanaged<HTTPTransfer>.fromOpaque($0).takeUnretainedValue() }
}

private func openSocket(
    context: UnsafeMutableRawPointer?,
    purpose: curlsocktype,
    address: UnsafeMutablePointer<curl_sockaddr>?
) -> curl_socket_t {
    guard let transfer = transfer(context), let address else { return cohortd_curl_socket_bad }
    return transfer.socket(for: address)
}

private func beforeRequest(
    context: UnsafeMutableRawPointer?,
    remoteAddress: UnsafeMutablePointer<CChar>?,
    localAddress: UnsafeMutablePointer<CChar>?,
    remotePort: Int32,
    localPort: Int32
) -> Int32 {
    transfer(context)?.mayWrite == true ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
}

private func receiveHeader(
    bytes: UnsafeMutablePointer<CChar>?,
    size: Int,
    count: Int,
    context: UnsafeMutableRawPointer?
) -> Int {
    guard let transfer = transfer(context) else { return 0 }
    let taken = transfer.receive(header: UnsafeRawBufferPointer(start: bytes, count: size * count))
    return taken ? size * count : 0
}

private func receiveBody(
    bytes: UnsafeMutablePointer<CChar>?,
    size: Int,
    count: Int,
    context: UnsafeMutableRawPointer?
) -> Int {
    guard let transfer = transfer(context) else { return 0 }
    let taken = transfer.receive(body: UnsafeRawBufferPointer(start: bytes, count: size * count))
    return taken ? size * count : size * count + 1
}
