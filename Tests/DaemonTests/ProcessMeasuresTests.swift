import Foundation
import Telemetry
import TestKit
import Testing

@testable import Daemon

@Suite("What a scrape measures")
struct ProcessMeasuresTests {
    /// The limit that a machine with these files has.
    private func limit(_ files: [String: String]) throws -> Int64? {
        let folder = try TemporaryFolder()
        for (path, text) in files { try folder.write(path, text) }
        return withExtendedLifetime(folder) { ControlGroup(root: folder.url.path).memoryMaxBytes }
    }

    @Test("version 2: the tightest limit of the group and those around it")
    func version2() throws {
        var files = [
            "proc/self/cgroup": "0::/system.slice/cohortd.service\n",
            "sys/fs/cgroup/system.slice/cohortd.service/memory.max": "max\n",
            "sys/fs/cgroup/system.slice/memory.max": "4294967296\n",
        ]
        #expect(try limit(files) == 4_294_967_296)
        files["sys/fs/cgroup/system.slice/cohortd.service/memory.max"] = "1073741824\n"
        #expect(try limit(files) == 1_073_741_824)
    }

    @Test("version 1: the controller of memory, whose largest number is no limit")
    func version1() throws {
        let files = [
            "proc/self/cgroup": "12:pids:/a\n4:cpu,memory:/docker/b\n0::/\n",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "536870912\n",
            "sys/fs/cgroup/memory/docker/b/memory.limit_in_bytes": "9223372036854771712\n",
        ]
        #expect(try limit(files) == 536_870_912)
    }

    @Test("in a container the group has the host's path, of which only the mount is there")
    func container() throws {
        let files = [
            "proc/self/cgroup": "0::/kubepods/pod1/c:1\n",
            "sys/fs/cgroup/memory.max": "268435456\n",
        ]
        #expect(try limit(files) == 268_435_456)
    }

    @Test("without a limit, or a group that can be read, none is known")
    func none() throws {
        let unlimited = ["proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "max\n"]
        #expect(try limit(unlimited) == nil)
        #expect(try limit([:]) == nil)
        #expect(try limit(["proc/self/cgroup": "nonsense\n:\n"]) == nil)
    }

    @Test(
        "memory is that of this process, quarantine that of all logs; what cannot be read is not shown"
    )
    func reading() throws {
        let folder = try TemporaryFolder()
        try folder.write("partitions/0/quarantine/tail-1", "12345")
        try folder.write("partitions/1/wal-1", "123")
        try folder.write("journal/quarantine/tail-2", "1234567")
        var measures = ProcessMeasures(
            partitions: folder.url.path + "/partitions",
            journal: folder.url.path + "/journal",
            memoryMax: 0,
            controlGroup: ControlGroup(root: folder.url.path)
        )
        let reading = measures.read()
        #expect((1 << 20...1 << 40).contains(try #require(reading.memoryBytes)))
        #expect(reading.memoryMaxBytes == nil)
        #expect(reading.quarantineBytes == 12)
        let registry = MetricRegistry()
        registry.update { $0.take(reading) }
        #expect(registry.snapshot.value(.storeBytes, ["quarantine"]) == 12)
        #expect(registry.snapshot.value(.memoryMaxBytes) == nil)

        measures = ProcessMeasures(
            partitions: folder.url.path + "/nothing",
            journal: folder.url.path + "/journal",
            memoryMax: 1 << 30
        )
        let other = measures.read()
        #expect(other.memoryMaxBytes == 1 << 30)
        #expect(other.quarantineBytes == nil)
        registry.update { $0.take(other) }
        #expect(registry.snapshot.value(.storeBytes, ["quarantine"]) == nil)
        #expect(registry.snapshot.value(.memoryMaxBytes) == 1_073_741_824)
    }
}
