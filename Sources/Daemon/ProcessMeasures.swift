import Basics
import Glibc
import InputFiles
import LogStore
import Telemetry

/// What is measured when it is asked for, and by no thread in between: memory, and what lies in data_dir beside the
/// logs.
struct ProcessMeasures: Sendable {
    /// The folder of the partitions' logs, and that of the journal.
    let partitions: String
    let journal: String
    /// `memory_max`; 0 = the control group's limit.
    let memoryMax: Int
    var controlGroup = ControlGroup()

    /// Reads all of it; what cannot be read is missing rather than wrong.
    func read() -> Reading {
        Reading(
            memoryBytes: residentBytes,
            memoryMaxBytes: limitBytes,
            quarantineBytes: quarantineBytes
        )
    }

    /// One look.
    struct Reading: Sendable {
        var memoryBytes: Int64?
        var memoryMaxBytes: Int64?
        var quarantineBytes: Int64?
    }

    /// What memory may reach: `memory_max`, else the control group's limit; nil without one.
    var limitBytes: Int64? { memoryMax > 0 ? Int64(memoryMax) : controlGroup.memoryMaxBytes }

    /// The memory of the process that is resident.
    var residentBytes: Int64? {
        do throws(InputError) {
            let text = String(decoding: try InputFiles.read("/proc/self/statm"), as: UTF8.self)
            let pages = text.split(separator: " ").dropFirst().first.flatMap { Int64($0) }
            return pages.map { $0 * Int64(sysconf(Int32(_SC_PAGESIZE))) }
        } catch {
            return nil
        }
    }

    private var quarantineBytes: Int64? {
        let files = DiskFileSystem()
        do throws(FileError) {
            var sum = try Quarantine.bytes(files, directory: journal)
            for name in try files.list(partitions) {
                sum += try Quarantine.bytes(files, directory: "\(partitions)/\(name)")
            }
            return sum
        } catch {
            return nil
        }
    }
}

extension MetricRegistry.Values {
    /// Takes over what was measured; a measure that is missing is not shown.
    mutating func take(_ reading: ProcessMeasures.Reading) {
        for (metric, labels, bytes) in [
            (Metric.memoryBytes, [], reading.memoryBytes),
            (Metric.memoryMaxBytes, [], reading.memoryMaxBytes),
            (Metric.storeBytes, ["quarantine"], reading.quarantineBytes),
        ] {
            if let bytes {
                set(metric, labels, to: Double(bytes))
            } else {
                remove(metric, prefix: labels)
            }
        }
    }
}
