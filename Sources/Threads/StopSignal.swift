import Glibc
import Synchronization

/// SIGTERM and Ctrl-C: the first ends a program in good order, a second at once.
package enum StopSignal {
    private static let count = Atomic(0)

    /// Whether a signal came.
    package static var isWanted: Bool { count.load(ordering: .relaxed) > 0 }

    /// Takes the signals; a write to a closed connection must be an error, not the end.
    package static func install() {
        signal(SIGPIPE, SIG_IGN)
        for number in [SIGTERM, SIGINT] {
            signal(number) { number in
                if StopSignal.count.add(1, ordering: .relaxed).oldValue > 0 { _exit(128 + number) }
            }
        }
    }
}
