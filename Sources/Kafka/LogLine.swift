/// One line that the Kafka client library had to say.
package struct LogLine: Sendable, Equatable {
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

    /// Whether the line only says that a property of the other kind of client has no effect here.
    ///
    /// One set of properties serves consumer and producer, so those lines are no news to anyone.
    var isAboutTheOtherKindOfClient: Bool {
        facility == "CONFWARN"
            && text.hasSuffix("property and will be ignored by this \(otherKind) instance")
    }

    private var otherKind: String {
        text.contains("is a consumer property") ? "producer" : "consumer"
    }
}
