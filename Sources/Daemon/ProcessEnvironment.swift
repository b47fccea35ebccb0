import Foundation
import Glibc

/// The environment variables of this process.
package enum ProcessEnvironment {
    /// All of them.
    package static var all: [String: String] { ProcessInfo.processInfo.environment }

    /// The value of a variable, which may be empty; nil where it is not set.
    @Sendable static func variable(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }
}
