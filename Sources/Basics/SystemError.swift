import Glibc

/// What the system says about its error numbers.
public enum SystemError {
    /// The text of an error number such as `errno`, for messages to people.
    public static func text(_ code: Int32) -> String {
        guard let text = strerror(code) else { return "error \(code)" }
        return String(cString: text)
    }
}
