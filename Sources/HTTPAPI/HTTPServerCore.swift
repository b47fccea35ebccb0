internal import CMicroHTTPD
import Dispatch
import Synchronization
import Threads

/// What the library's callbacks share; lives until the library has stopped.
final class HTTPServerCore: Sendable {
    let limits: HTTPLimits
    let refusal: @Sendable (HTTPRequest) -> HTTPResponse?
    let handler: @Sendable (HTTPRequest) -> HTTPResponse
    let connections = HTTPConnectionTable()
    /// Entered when a header is complete, left when the answer has gone out or the connection is
    /// lost.
    let running = DispatchGroup()
    let isDraining = Atomic<Bool>(false)
    /// How many exchanges exist; tests look that none is left behind.
    let exchangeCount = Atomic<Int>(0)

    init(
        limits: HTTPLimits,
        refusal: @escaping @Sendable (HTTPRequest) -> HTTPResponse?,
        handler: @escaping @Sendable (HTTPRequest) -> HTTPResponse
    ) {
        self.limits = limits
        self.refusal = refusal
        self.handler = handler
    }

    // MARK: Connections

    func opened(_ connection: OpaquePointer) -> HTTPConnection {
        let state = HTTPConnection(
            connection,
            deadline: SystemClock().monotonicMilliseconds + limits.idleMilliseconds
        )
        connections.insert(state)
        return state
    }

    // MARK: Requests

    func began(target: String?, on connection: HTTPConnection?) -> HTTPExchange {
        exchangeCount.add(1, ordering: .relaxed)
        connection?.beginRequest()
        connection?.setDeadline(SystemClock().monotonicMilliseconds + limits.headerMilliseconds)
        return HTTPExchange(connection: connection, target: target)
    }

    func completed(_ exchange: HTTPExchange) {
        exchange.connection?.setDeadline(
            SystemClock().monotonicMilliseconds + limits.idleMilliseconds
        )
        if exchange.phase != .header { running.leave() }
        exchangeCount.subtract(1, ordering: .relaxed)
    }

    /// One call of the library: the header is complete, or a piece of the body came, or the body is
    /// complete.
    ///
    /// - Returns: Whether the connection goes on.
    func advance(
        _ exchange: HTTPExchange,
        _ connection: OpaquePointer,
        method: String,
        piece: UnsafeRawBufferPointer
    ) -> Bool {
        switch exchange.phase {
        case .header:
            return headerComplete(exchange, connection, method: method)
        case .body where !piece.isEmpty:
            received(piece, exchange)
            return true
        case .dropping where !piece.isEmpty:
            received(piece, exchange)
            // Enough patience: one that sends without end is cut.
            return exchange.receivedBytes <= 4 * limits.bodyBytesMax + 1024 * 1024
        case .body:
            exchange.connection?.setDeadline(.max)
            guard let request = exchange.request else { return false }
            return answer(handler(request), exchange, connection)
        case .dropping:
            return answer(bodyTooLarge, exchange, connection)
        case .answered:
            return false
        }
    }

    private func headerComplete(
        _ exchange: HTTPExchange,
        _ connection: OpaquePointer,
        method: String
    ) -> Bool {
        running.enter()
        exchange.phase = .body
        exchange.bodyBegan = SystemClock().monotonicMilliseconds
        exchange.connection?.setDeadline(transferDeadline(bytes: 0, from: exchange.bodyBegan))
        if cohortd_mhd_header_bytes(connection) > limits.headerBytesMax {
            return answerAndClose(headerTooLarge, exchange, connection)
        }
        let headers = readHeaders(connection)
        let framing: BodyFraming
        let request: HTTPRequest
        do throws(RequestTarget.Problem) {
            framing = try BodyFraming(headers)
            guard let target = exchange.target else {
                throw RequestTarget.Problem(
                    text: "the target is not UTF-8 or holds a zero byte"
                )
            }
            request = HTTPRequest(
                method: method,
                target: try RequestTarget(target),
                headers: headers,
                remoteAddress: exchange.connection?.remoteAddress ?? "?"
            )
        } catch {
            return answerAndClose(
                .error(status: 400, code: "bad_request", error.text),
                exchange,
                connection
            )
        }
        exchange.request = request
        if framing == .none { return true }
        if let response = refusal(request) {
            return answerAndClose(response, exchange, connection)
        }
        if case .length(let bytes) = framing {
            if bytes > limits.bodyBytesMax {
                return answerAndClose(bodyTooLarge, exchange, connection)
            }
            exchange.request?.body.reserveCapacity(min(bytes, 64 * 1024))
        }
        return true
    }

    private func received(_ piece: UnsafeRawBufferPointer, _ exchange: HTTPExchange) {
        exchange.receivedBytes += piece.count
        exchange.connection?.setDeadline(
            transferDeadline(bytes: exchange.receivedBytes, from: exchange.bodyBegan)
        )
        if exchange.phase == .body {
            if exchange.receivedBytes > limits.bodyBytesMax {
                // A body of unknown length: the library takes an answer only at its end.
                exchange.phase = .dropping
                exchange.request = nil
            } else {
                exchange.request?.body.append(contentsOf: piece)
            }
        }
    }

    /// The instant by which `bytes` must have gone over the wire if their transfer begins at `start`.
    private func transferDeadline(bytes: Int, from start: Int64) -> Int64 {
        start + limits.headerMilliseconds
            + Int64(bytes) * 1000 / max(1, limits.transferBytesPerSecond)
    }

    // MARK: Answers

    private var bodyTooLarge: HTTPResponse {
        .error(
            status: 413,
            code: "too_large",
            "the body is larger than \(limits.bodyBytesMax) bytes"
        )
    }

    private var headerTooLarge: HTTPResponse {
        .error(
            status: 431,
            code: "header_too_large",
            "request line and header are larger than \(limits.headerBytesMax) bytes"
        )
    }

    private func answerAndClose(
        _ response: HTTPResponse,
        _ exchange: HTTPExchange,
        _ connection: OpaquePointer
    ) -> Bool {
        var response = response
        response.closesConnection = true
        return answer(response, exchange, connection)
    }

    private func answer(
        _ response: HTTPResponse,
        _ exchange: HTTPExchange,
        _ connection: OpaquePointer
    ) -> Bool {
        exchange.phase = .answered
        exchange.connection?.setDeadline(
            transferDeadline(bytes: response.body.count, from: SystemClock().monotonicMilliseconds)
        )
        guard let made = makeResponse(response) else { return false }
        defer { MHD_destroy_response(made) }
        return MHD_queue_response(connection, UInt32(response.status), made) == .YES
    }

    /// Hands the answer to the library, which copies the body; nil when it has no memory or a
    /// header field is malformed.
    private func makeResponse(_ response: HTTPResponse) -> OpaquePointer? {
        precondition(
            (200...599).contains(response.status),
            "a handler answered status \(response.status)"
        )
        var body = response.body
        let made = body.withUnsafeMutableBytes {
            MHD_create_response_from_buffer($0.count, $0.baseAddress, .RESPMEM_MUST_COPY)
        }
        guard let made else { return nil }
        var succeeded = true
        func add(_ name: String, _ value: String) {
            if MHD_add_response_header(made, name, value) != .YES { succeeded = false }
        }
        for (name, value) in response.headers { add(name, value) }
        add("Cache-Control", "no-store")
        add("X-Content-Type-Options", "nosniff")
        if response.closesConnection || isDraining.load(ordering: .relaxed) {
            add("Connection", "close")
        }
        if succeeded { return made }
        MHD_destroy_response(made)
        return nil
    }
}

/// Collects the header fields of a request.
private func readHeaders(_ connection: OpaquePointer) -> HTTPHeaders {
    var headers = HTTPHeaders()
    withUnsafeMutablePointer(to: &headers) { pointer in
        _ = MHD_get_connection_values_n(
            connection,
            .HEADER_KIND,
            { context, _, name, nameCount, value, valueCount in
                guard let context, let name else { return .YES }
                let nameText = String(
                    decoding: UnsafeRawBufferPointer(start: name, count: nameCount),
                    as: UTF8.self
                )
                let valueText = String(
                    decoding: UnsafeRawBufferPointer(start: value, count: valueCount),
                    as: UTF8.self
                )
                context.assumingMemoryBound(to: HTTPHeaders.self).pointee
                    .append(nameText, valueText)
                return .YES
            },
            pointer
        )
    }
    return headers
}
