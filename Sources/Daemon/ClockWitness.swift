import Basics
import Glibc

/// What speaks for the wall clock besides the machine itself: records of Kafka that were stamped elsewhere a moment
/// ago, and the system's own synchronisation.
struct ClockWitness {
    /// What systemd-timesyncd touches whenever a server has told it the time.
    static let synchronizedPath = "/run/systemd/timesync/synchronized"
    /// The longest time between two of its polls is 34 min.
    private static let pollMilliseconds: Int64 = 2_400_000

    let reports: PartitionReports
    var path = ClockWitness.synchronizedPath

    /// Whether something agrees that it is about `now`.
    func agrees(with now: EventTime) -> Bool {
        let tolerance = ClockFence.toleranceMilliseconds
        let isStamped = reports.all.contains {
            $0.lastTimestamp.map { abs(now - $0) <= tolerance } ?? false
        }
        return isStamped || isSynchronized(now)
    }

    /// The file's time is the wall clock's when it was touched, so that of before a jump is far away.
    private func isSynchronized(_ now: EventTime) -> Bool {
        var status = stat()
        guard stat(path, &status) == 0 else { return false }
        let touched = EventTime(
            milliseconds: Int64(status.st_mtim.tv_sec) * 1000
                + Int64(status.st_mtim.tv_nsec) / 1_000_000
        )
        return (-1000...Self.pollMilliseconds).contains(now - touched)
    }
}
