import Basics
import Glibc

/// Programs that a benchmark runs to their end: others, and itself with fresh memory.
enum ChildProcess {
    /// How a program ended.
    enum Ending: Equatable {
        case exited(Int32)
        case killed(signal: Int32)
    }

    /// Runs a program with our environment and stderr.
    ///
    /// - Parameters:
    ///   - program: A path, or a name that is looked for on PATH.
    ///   - arguments: The command line without its first word.
    /// - Returns: What it wrote to stdout, and how it ended.
    /// - Throws: ``BenchStatus/programFailed`` where it cannot be started, which is on stderr by then.
    static func run(
        _ program: String,
        _ arguments: [String]
    ) throws(BenchStatus) -> (output: [UInt8], ending: Ending) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw cannotStart(program, errno) }
        // Or the program would hold both ends itself; its stdout is a copy without the flag.
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let (child, failure) = spawn(program, arguments, output: ends[1])
        close(ends[1])
        defer { close(ends[0]) }
        guard failure == 0 else { throw cannotStart(program, failure) }
        let output = readAll(ends[0])
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0, errno == EINTR {}
        // The macros of <sys/wait.h>, which Swift does not see.
        let signal = status & 0x7f
        return (output, signal == 0 ? .exited(status >> 8 & 0xff) : .killed(signal: signal))
    }

    /// Runs one of our own commands in a process of its own.
    ///
    /// - Returns: What it wrote to stdout.
    /// - Throws: The status it ended with; it told why on our stderr.
    static func runOwn(_ arguments: [String]) throws(BenchStatus) -> [UInt8] {
        let (output, ending) = try run("/proc/self/exe", arguments)
        switch ending {
        case .exited(0): return output
        case .exited(let status): throw BenchStatus(rawValue: status) ?? .programFailed
        case .killed(let signal):
            printError("cohort-bench: \(arguments.first ?? "") was ended by signal \(signal)")
            throw .programFailed
        }
    }

    private static func spawn(
        _ program: String,
        _ arguments: [String],
        output: Int32
    ) -> (child: pid_t, failure: Int32) {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
        // We ignore SIGPIPE, which a program would inherit.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var restored = sigset_t()
        sigemptyset(&restored)
        sigaddset(&restored, SIGPIPE)
        posix_spawnattr_setsigdefault(&attributes, &restored)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF))
        var words: [UnsafeMutablePointer<CChar>?] =
            ([program] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var child: pid_t = 0
        let failure = posix_spawnp(&child, program, &actions, &attributes, &words, environ)
        return (child, failure)
    }

    private static func readAll(_ descriptor: Int32) -> [UInt8] {
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count > 0 {
                output += buffer[..<count]
            } else if count == 0 || errno != EINTR {
                return output
            }
        }
    }

    private static func cannotStart(_ program: String, _ failure: Int32) -> BenchStatus {
        printError("cohort-bench: cannot run \(program): \(SystemError.text(failure))")
        return .programFailed
    }
}
