import CCurl

/// A plain blocking request without a body, for a command-line program that asks its own daemon.
///
/// Any address may be dialled, loopback above all; redirects, proxies and cookies are not followed
/// or used here either. Each call makes its own connection. Call it on a thread that may wait.
package enum HTTPClient {
    /// An answer longer than this is an error.
    package static let bodyBytesMax = 64 << 20

    /// What is asked of a URL.
    package enum Method: String, Sendable {
        case get = "GET"
        case post = "POST"
        case put = "PUT"
        case delete = "DELETE"
    }

    /// Sends a request and waits for its answer.
    ///
    /// - Parameters:
    ///   - method: What is asked.
    ///   - url: An http or https URL without user and password.
    ///   - headers: Names and values; neither may hold a control character.
    ///   - body: What is sent along.
    ///   - timeoutMilliseconds: The time for the whole exchange.
    ///   - authorities: A file of CA certificates to trust instead of the system's.
    /// - Returns: Status and body, whatever the status is.
    /// - Throws: `HTTPClientError` when there is no whole answer.
    package static func send(
        _ method: Method,
        _ url: String,
        headers: [(name: String, value: String)] = [],
        body: [UInt8] = [],
        timeoutMilliseconds: Int = 30_000,
        authorities: String? = nil
    ) throws(HTTPClientError) -> (status: Int, body: [UInt8]) {
        let isPlain = try check(url, headers)
        guard let handle = EasyHandle() else {
            throw HTTPClientError(text: "no memory for a request; free some")
        }
        let reply = Reply()
        let context = Unmanaged.passRetained(reply)
        defer { context.release() }
        handle.note(cohortd_curl_set_body_callback(handle.raw, collect))
        // The context is no FILE, which is what libcurl would write headers to without a callback.
        handle.note(cohortd_curl_set_header_callback(handle.raw, ignore))
        let failure = handle.prepare(
            method: method.rawValue,
            url: url,
            isPlain: isPlain,
            headers: headers,
            body: body,
            timeoutMilliseconds: timeoutMilliseconds,
            authorities: authorities,
            isSignalSafe: false,
            context: context.toOpaque()
        )
        if let failure { throw HTTPClientError(text: "libcurl refuses the request: \(failure)") }
        let code = curl_easy_perform(handle.raw)
        guard code == CURLE_OK, handle.status > 0 else {
            let detail = handle.detail
            throw HTTPClientError(
                text: reply.isTooLong
                    ? "the answer is over 64 MiB; ask for less"
                    : detail.isEmpty ? String(cString: curl_easy_strerror(code)) : detail
            )
        }
        return (handle.status, reply.body)
    }

    private static func check(
        _ url: String,
        _ headers: [(name: String, value: String)]
    ) throws(HTTPClientError) -> Bool {
        for (name, value) in headers {
            guard "\(name)\(value)".utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else {
                throw HTTPClientError(
                    text: "a control character in the value of \(name); remove it"
                )
            }
        }
        do {
            let parts = try URLParts(url)
            try parts.refuseWhatHasNoPlace()
            guard ["http", "https"].contains(parts.scheme) else {
                throw AddressError.badURL(
                    reason: "the scheme is neither http nor https",
                    remedy: "write http://HOST:PORT"
                )
            }
            return parts.scheme == "http"
        } catch {
            throw HTTPClientError(text: "\(error)")
        }
    }

    fileprivate final class Reply {
        var body: [UInt8] = []
        var isTooLong = false
    }
}

/// Why there is no answer: what happened and what to do.
package struct HTTPClientError: Error, Equatable, CustomStringConvertible {
    /// The reason, without the address, which the caller knows.
    package let text: String

    package var description: String { text }
}

private func collect(
    bytes: UnsafeMutablePointer<CChar>?,
    size: Int,
    count: Int,
    context: UnsafeMutableRawPointer?
) -> Int {
    guard let context else { return 0 }
    let reply = Unmanaged<HTTPClient.Reply>.fromOpaque(context).takeUnretainedValue()
    guard reply.body.count + size * count <= HTTPClient.bodyBytesMax else {
        reply.isTooLong = true
        return size * count + 1
    }
    reply.body.append(contentsOf: UnsafeRawBufferPointer(start: bytes, count: size * count))
    return size * count
}

private func ignore(
    bytes: UnsafeMutablePointer<CChar>?,
    size: Int,
    count: Int,
    context: UnsafeMutableRawPointer?
) -> Int {
    size * count
}
