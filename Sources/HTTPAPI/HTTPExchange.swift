/// One request on its way: from the request line to the end of its answer.
///
/// Made by the library's target callback, freed by its completion callback; in between only the
/// pool thread that owns the connection touches it.
final class HTTPExchange {
    /// Where the request stands.
    enum Phase {
        /// The header is on its way.
        case header
        /// Header there, body on its way or complete.
        case body
        /// The body is over the limit: it is read and dropped, then answered by 413.
        case dropping
        /// The answer is with the library.
        case answered
    }

    let connection: HTTPConnection?
    /// The target as it came; nil when it is not UTF-8 or was cut by a zero byte.
    let target: String?
    var phase = Phase.header
    /// There once the header is complete.
    var request: HTTPRequest?
    /// When the header was complete, in monotonic milliseconds.
    var bodyBegan: Int64 = 0
    /// Bytes of the body that came.
    var receivedBytes = 0

    init(connection: HTTPConnection?, target: String?) {
        self.connection = connection
        self.target = target
    }
}
