import Foundation

/// What tests read of the environment.
package enum Environment {
    /// All variables.
    package static var current: [String: String] { ProcessInfo.processInfo.environment }
}
