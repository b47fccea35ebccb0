import Basics
import Glibc
import InputFiles

/// What the process has used up to now.
struct Meter {
    /// CPU seconds of all threads, the kernel's work for them included.
    let cpuSeconds: Double
    /// Seconds of a clock that only goes forward.
    let wallSeconds: Double
    /// Bytes of memory that belong to the process alone; mapped files do not count.
    ///
    /// Nil where the system does not say.
    let memoryBytes: Int?
    /// The most bytes of memory that the process ever had, mapped files included.
    ///
    /// Nil where the system does not say.
    let memoryPeakBytes: Int?

    /// Reads all of them now.
    static func read() -> Meter {
        let lines = statusLines()
        return Meter(
            cpuSeconds: seconds(CLOCK_PROCESS_CPUTIME_ID),
            wallSeconds: wall(),
            memoryBytes: bytes("RssAnon:", in: lines),
            memoryPeakBytes: bytes("VmHWM:", in: lines)
        )
    }

    /// Seconds of a clock that only goes forward; cheap enough for every tick.
    static func wall() -> Double { seconds(CLOCK_MONOTONIC) }

    /// CPU seconds of the calling thread, the kernel's work for it included.
    static func threadCPU() -> Double { seconds(CLOCK_THREAD_CPUTIME_ID) }

    private static func seconds(_ clock: clockid_t) -> Double {
        var now = timespec()
        clock_gettime(clock, &now)
        return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
    }

    private static func statusLines() -> [Substring] {
        do throws(InputError) {
            let bytes = try InputFiles.read("/proc/self/status")
            return String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        } catch {
            return []
        }
    }

    private static func bytes(_ name: String, in lines: [Substring]) -> Int? {
        for line in lines where line.hasPrefix(name) {
            let kilobytes = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst()
                .first
            return kilobytes.flatMap { Int($0) }.map { $0 * 1024 }
        }
        return nil
    }
}
