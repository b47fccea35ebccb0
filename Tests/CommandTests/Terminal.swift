import Foundation
import Glibc
import Testing

/// A terminal that a program under test has as stdout, seen from its other side.
///
/// Belongs to one test. A program that still runs when this is let go is killed.
final class Terminal {
    private let master: Int32
    private var slave: Int32
    private var process: pid_t = 0

    /// A window of so many rows and columns.
    init(rows: UInt16, columns: UInt16) throws {
        var sides: (master: Int32, slave: Int32) = (-1, -1)
        var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        try #require(openpty(&sides.master, &sides.slave, nil, nil, &size) == 0)
        (master, slave) = sides
    }

    deinit {
        if process > 0 {
            kill(process, SIGKILL)
            waitpid(process, nil, 0)
        }
        if slave >= 0 { close(slave) }
        close(master)
    }

    /// Starts a built program.
    func run(_ program: String, _ arguments: [String]) throws {
        let path = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
            .deletingLastPathComponent().appendingPathComponent(program).path
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, slave, STDOUT_FILENO)
        // Its end must show here, whoever else was started meanwhile.
        for number in Int32(3)..<512 { posix_spawn_file_actions_addclose(&actions, number) }
        // The threads that tests run on block signals, which a program would inherit.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
        var variables: [UnsafeMutablePointer<CChar>?] = [strdup("TERM=xterm"), nil]
        defer { for text in words + variables { free(text) } }
        try #require(posix_spawn(&process, path, &actions, &attributes, &words, &variables) == 0)
        close(slave)
        slave = -1
    }

    /// Sends the program a signal.
    func signal(_ number: Int32) {
        kill(process, number)
    }

    /// How the program ended: its status, or minus the signal; an issue if it does not within a minute.
    func end() throws -> Int32 {
        let deadline = ProcessInfo.processInfo.systemUptime + 60
        var status: Int32 = 0
        while waitpid(process, &status, WNOHANG) == 0 {
            try #require(ProcessInfo.processInfo.systemUptime < deadline, "it does not end")
            usleep(5000)
        }
        process = 0
        return status & 0x7f == 0 ? status >> 8 & 0xff : -(status & 0x7f)
    }

    /// What is written until this comes, with it and what came along; an issue if it does not within a minute.
    func read(until end: String) throws -> String {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        let deadline = ProcessInfo.processInfo.systemUptime + 60
        while ProcessInfo.processInfo.systemUptime < deadline {
            var waiting = pollfd(fd: master, events: Int16(POLLIN), revents: 0)
            guard poll(&waiting, 1, 1000) > 0 else { continue }
            let count = Glibc.read(master, &buffer, buffer.count)
            // An error is how the other side's end shows.
            if count <= 0 { break }
            bytes += buffer[0..<count]
            let text = String(decoding: bytes, as: UTF8.self)
            if text.contains(end) { return text }
        }
        let text = String(decoding: bytes, as: UTF8.self)
        Issue.record("\(end.debugDescription) does not come: \(text.debugDescription)")
        return text
    }
}
