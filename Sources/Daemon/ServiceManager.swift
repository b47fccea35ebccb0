import CSystemd
import Glibc

/// The service manager that started this process, if there is one: systemd with `Type=notify`.
///
/// Any thread may tell it something: a message is one datagram.
package struct ServiceManager: Sendable {
    /// Within how many milliseconds it must hear that the service is alive; nil where it does not ask.
    let watchdogMilliseconds: Int64?
    private let send: @Sendable (String) -> Int32

    /// A manager from its parts.
    ///
    /// - Parameters:
    ///   - watchdogMilliseconds: Within how many milliseconds it must hear of the service; nil = it need not.
    ///   - send: Gets each message; answers below 0 are minus the system's error.
    init(watchdogMilliseconds: Int64?, send: @escaping @Sendable (String) -> Int32) {
        self.watchdogMilliseconds = watchdogMilliseconds
        self.send = send
    }

    /// Nobody.
    package static let none = ServiceManager(watchdogMilliseconds: nil) { _ in 0 }

    /// The one that `NOTIFY_SOCKET` names; nobody where it is not set.
    package static var ofProcess: ServiceManager {
        guard ProcessEnvironment.variable("NOTIFY_SOCKET") != nil else { return .none }
        var microseconds: UInt64 = 0
        // Also says no where the variables are meant for another process.
        let isWatched = sd_watchdog_enabled(0, &microseconds) > 0
        return ServiceManager(
            watchdogMilliseconds: isWatched ? Int64(clamping: max(1, microseconds / 1000)) : nil
        ) { sd_notify(0, $0) }
    }

    /// Tells it something.
    ///
    /// - Returns: 0, or the system's error where it could not be told.
    @discardableResult
    func tell(_ messages: ServiceMessage...) -> Int32 { tell(messages) }

    /// Tells it several things at once.
    ///
    /// - Returns: 0, or the system's error where it could not be told.
    @discardableResult
    func tell(_ messages: [ServiceMessage]) -> Int32 {
        if messages.isEmpty { return 0 }
        return max(0, -send(messages.map(\.text).joined(separator: "\n")))
    }
}
