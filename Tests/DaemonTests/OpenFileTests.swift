import Glibc
import Testing

@testable import Daemon

@Suite("Few open files")
struct OpenFileTests {
    @Test(
        "of few most are for the daemon itself, and the API takes fewer connections",
        arguments: [(64, 16), (256, 64), (1024, 768), (1280, 1024), (65_536, 1024)]
    )
    func connections(files: Int, connections: Int) {
        #expect(OpenFileLimit(files: files).connections(wanted: 1024) == connections)
    }

    @Test("no more connections are taken than wanted")
    func wanted() {
        #expect(OpenFileLimit(files: 64).connections(wanted: 5) == 5)
    }

    @Test("where files could run out the start is refused with the figures")
    func check() throws {
        let limit = OpenFileLimit(files: 64)
        try limit.check(used: 42, connections: 16)
        let error = #expect(throws: DaemonError.self) {
            try limit.check(used: 43, connections: 16)
        }
        #expect(error?.status == 78)
        #expect(
            error?.text
                == "with all partitions 43 files are open, the API takes up to 16 connections besides, "
                + "and only 64 files may be open: raise LimitNOFILE of the unit, or ulimit -n"
        )
    }

    @Test("open files are counted")
    func used() throws {
        let files = (0..<40).map { _ in open("/dev/null", O_RDONLY | O_CLOEXEC) }
        defer { for file in files { close(file) } }
        #expect(OpenFileLimit.used >= 40)
    }
}
