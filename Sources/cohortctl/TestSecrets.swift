import Basics
import Configuration
import Destinations
import Glibc

/// The secrets of one destination, as far as a test needs them.
struct TestSecrets {
    private let destination: String
    /// Whether a secret that cannot be read ends the test; otherwise something stands for it.
    private let areNeeded: Bool
    private let redactor = Redactor()
    private var store: SecretStore

    init(destination: String, areNeeded: Bool) {
        self.destination = destination
        self.areNeeded = areNeeded
        store = SecretStore(
            surroundings: SecretSurroundings(
                credentialsDirectory: getenv("CREDENTIALS_DIRECTORY").map { String(cString: $0) },
                variable: { name in getenv(name).map { String(cString: $0) } }
            ),
            redactor: redactor
        )
    }

    /// The text without any of the secrets.
    func redact(_ text: String) -> String { redactor.redact(text) }

    /// The text that a value stands for; nil where it is not there and need not be.
    ///
    /// - Parameters:
    ///   - value: Of the configuration.
    ///   - key: Its key, for messages.
    ///   - isOptional: Whether something may stand for it where nothing is sent.
    /// - Returns: The text itself.
    /// - Throws: The status of a secret that is needed and cannot be read; why is on stderr by then.
    mutating func text(
        _ value: ReferencedText,
        _ key: String,
        isOptional: Bool = true
    ) throws(ExitStatus) -> SecretText? {
        do throws(SecretError) {
            return try store.secret(value, of: destination)
        } catch {
            if isOptional, !areNeeded {
                printError("cohortctl: destination \(destination): \(key): \(error.description)")
                return nil
            }
            throw problem("\(key): \(error.description)")
        }
    }

    /// Prints what is wrong with the destination.
    func problem(_ text: String) -> ExitStatus {
        printError("cohortctl: destination \(destination): \(redact(text))")
        return .configuration
    }
}
