/// What one server takes from its clients before it says no.
package struct HTTPLimits: Sendable {
    /// Connections at one time; further ones wait in the kernel's queue.
    package var connectionsMax = 1024
    /// Connections at one time from one address; further ones are closed.
    package var perAddressMax = 64
    /// Bytes of request line and header; more is answered by 431.
    ///
    /// At most half of `connectionMemoryBytes`.
    package var headerBytesMax = 16 * 1024
    /// Bytes of a body; more is answered by 413.
    package var bodyBytesMax = 8 * 1024 * 1024
    /// Memory of one connection for the request's header and for sending.
    package var connectionMemoryBytes = 64 * 1024
    /// How long a connection may stay without beginning its next request.
    package var idleMilliseconds: Int64 = 60_000
    /// How long the header may take once the request line is there; also what a body and the
    /// reading of an answer may take beyond `transferBytesPerSecond`.
    package var headerMilliseconds: Int64 = 10_000
    /// The slowest pace at which a body may come and an answer be read.
    package var transferBytesPerSecond: Int64 = 1024
    /// How long ``HTTPServer/stop()`` waits for the requests that are being answered.
    package var drainMilliseconds = 5000
    /// Threads that read, call the handler and write; 1…16.
    package var threads = 2

    /// The limits of a daemon with the default configuration.
    package init() {}
}
