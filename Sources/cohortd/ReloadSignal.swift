import Glibc
import Synchronization

/// SIGHUP: the configuration is to be read again.
enum ReloadSignal {
    private static let isWanted = Atomic(false)

    /// Takes the signal from now on, instead of ending by it.
    static func install() {
        signal(SIGHUP) { _ in ReloadSignal.isWanted.store(true, ordering: .relaxed) }
    }

    /// Whether one came since the last call.
    static func take() -> Bool { isWanted.exchange(false, ordering: .relaxed) }
}
