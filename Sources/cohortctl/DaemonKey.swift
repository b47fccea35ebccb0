import Configuration
import Destinations
import Glibc

/// The key that the daemon asks for: given by reference, so that no list of processes shows it.
enum DaemonKey {
    private static let variable = "COHORTD_KEY"

    /// The key of `--key`, else of the environment; nil where neither is given.
    ///
    /// - Parameter option: What follows `--key`.
    /// - Returns: The key.
    /// - Throws: The exit status of what is wrong, which is on stderr by then.
    static func secret(option: String?) throws(ExitStatus) -> SecretText? {
        guard let option else {
            guard let value = getenv(variable), value.pointee != 0 else { return nil }
            return SecretText(String(cString: value))
        }
        let reference = ReferencedText(option)
        switch reference {
        case .environment, .file: break
        case .plain, .credential, nil:
            // Not repeated: it may be the key.
            printError("cohortctl: --key takes env:NAME or file:/PATH, and never the key itself")
            throw .usage
        }
        let surroundings = SecretSurroundings(credentialsDirectory: nil) { name in
            getenv(name).map { String(cString: $0) }
        }
        do throws(SecretError) {
            return try reference?.resolved(in: surroundings)
        } catch {
            printError("cohortctl: --key: \(error.description)")
            throw .inputMissing
        }
    }
}
