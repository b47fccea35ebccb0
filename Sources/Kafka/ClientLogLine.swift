/// One line that the Kafka client library had to say.
package struct ClientLogLine: Sendable, Equatable {
    /// The severity as syslog counts it: 3 error, 4 warning, 5 notice, 6 info, 7 debug.
    package let level: Int32
    /// The part of the client that speaks, such as `FAIL` or `ASSIGN`.
    package let facility: String
    /// The line.
    package let text: String

    /// A line of `facility` at `level`.
    package init(level: Int32, facility: String, text: String) {
        self.level = level
        self.facility = facility
        self.text = text
    }

    /// Whether the line is no news to anyone.
    var isIdle: Bool {
        switch facility {
        case "CONFWARN":
            // One set of properties serves consumer and producer; each says which it has no use for.
            text.contains("and will be ignored by this")
        case "AUTOCREATE":
            // Only the in-process broker, and Kafka before 0.11, cannot be asked not to make topics.
            true
        default:
            false
        }
    }
}
