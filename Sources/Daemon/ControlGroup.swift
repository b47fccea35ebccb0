import Basics
import InputFiles

/// The control group this process is in, as far as it bounds memory.
struct ControlGroup: Sendable {
    /// What stands before `/proc` and `/sys`; tests put a folder there.
    var root = ""

    /// Beyond it, version 1 means that there is no limit.
    private static let limitMax: Int64 = 1 << 60

    /// The tightest limit of the group and those around it, in bytes; nil without one.
    ///
    /// Source: cgroups(7); the kernel's cgroup-v2.rst and cgroup-v1/memory.rst.
    var memoryMaxBytes: Int64? {
        var tightest: Int64?
        for line in text("/proc/self/cgroup").split(separator: "\n") {
            // NUMBER:CONTROLLERS:PATH; of version 2 the number is 0 and the controllers are empty.
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { continue }
            let limit: Int64?
            if parts[0] == "0", parts[1].isEmpty {
                limit = tightestLimit("/sys/fs/cgroup", parts[2], "memory.max")
            } else if parts[1].split(separator: ",").contains("memory") {
                limit = tightestLimit("/sys/fs/cgroup/memory", parts[2], "memory.limit_in_bytes")
            } else {
                continue
            }
            if let limit { tightest = min(tightest ?? limit, limit) }
        }
        return tightest
    }

    /// In a container the path may be that of the host, of which only the last step up, the mount, is there.
    private func tightestLimit(_ mount: String, _ path: Substring, _ file: String) -> Int64? {
        var names = path.split(separator: "/")
        var tightest: Int64?
        while true {
            let folder = ([mount] + names.map(String.init)).joined(separator: "/")
            let limit = text("\(folder)/\(file)").split(separator: "\n").first.flatMap { Int64($0) }
            if let limit, limit < Self.limitMax { tightest = min(tightest ?? limit, limit) }
            if names.popLast() == nil { return tightest }
        }
    }

    private func text(_ path: String) -> String {
        do throws(InputError) {
            return String(decoding: try InputFiles.read(root + path), as: UTF8.self)
        } catch {
            // No such version, or hidden from this process: no limit is known.
            return ""
        }
    }
}
