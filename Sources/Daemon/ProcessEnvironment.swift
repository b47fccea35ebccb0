import Glibc

/// The environment variables of this process.
enum ProcessEnvironment {
    /// The value of a variable, which may be empty; nil where it is not set.
    @Sendable static func variable(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }
}
