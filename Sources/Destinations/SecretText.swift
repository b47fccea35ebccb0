/// A secret as text, which no log line, error or dump can print by accident: it describes itself as
/// `***`.
package struct SecretText: Sendable, Equatable {
    private let value: String

    /// Wraps the secret.
    package init(_ value: String) {
        self.value = value
    }

    /// The secret itself, for the one place that needs it.
    package func reveal() -> String { value }
}

extension SecretText: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "***" }
    package var debugDescription: String { "***" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
