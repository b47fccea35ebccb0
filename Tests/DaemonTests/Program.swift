import Foundation
import Glibc
import Testing

/// One of the built programs, running: its output goes to files of a folder of the test.
///
/// Belongs to one test. What still runs when it is let go is killed.
final class Program {
    /// How a program ended.
    enum Ending: Equatable {
        case exited(Int32)
        case killed(signal: Int32)
    }

    let process: pid_t
    private let outputPath: String
    private let errorPath: String
    private var ending: Ending?

    /// Starts `name`, which stands beside the program of the tests.
    ///
    /// - Parameters:
    ///   - name: `cohortd`, `cohortctl`; a name with a slash is a path.
    ///   - arguments: The command line without its first word.
    ///   - folder: Gets the files with its output.
    ///   - environment: Goes over that of the tests, without what a program of ours would read.
    /// - Throws: An issue of the test where it cannot be started.
    init(
        _ name: String,
        _ arguments: [String],
        folder: String,
        environment: [String: String] = [:]
    ) throws {
        let path = name.contains("/") ? name : Self.builtFolder + name
        let number = Self.numbers.withLock { number in
            number += 1
            return number
        }
        outputPath = "\(folder)/\(number).stdout"
        errorPath = "\(folder)/\(number).stderr"
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        let flags = O_WRONLY | O_CREAT | O_TRUNC
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, outputPath, flags, 0o600)
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, errorPath, flags, 0o600)
        // Sockets of the broker and of receivers in this process are not the program's.
        for number in Int32(3)..<512 { posix_spawn_file_actions_addclose(&actions, number) }
        var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
        let ours = ["COHORTD_", "NOTIFY_SOCKET", "WATCHDOG_", "JOURNAL_STREAM"]
        let merged = ProcessInfo.processInfo.environment
            .filter { variable in !ours.contains { variable.key.hasPrefix($0) } }
            .merging(["SWIFT_BACKTRACE": "enable=no"]) { $1 }.merging(environment) { $1 }
        var variables: [UnsafeMutablePointer<CChar>?] =
            merged.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in words + variables { if let text { free(text) } } }
        // The threads that tests run on block signals, which a program would inherit.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var child: pid_t = 0
        let failure = posix_spawn(&child, path, &actions, &attributes, &words, &variables)
        try #require(failure == 0, "cannot start \(path): \(String(cString: strerror(failure)))")
        process = child
    }

    deinit {
        guard ending == nil else { return }
        kill(process, SIGKILL)
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
    }

    private static let numbers = Locked(0)

    /// The folder of the built programs, which is the one of the tests' own program.
    static let builtFolder: String = {
        let own = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        return own.deletingLastPathComponent().path + "/"
    }()

    /// What it wrote to stdout so far.
    var output: String { Self.text(outputPath) }
    var outputBytes: [UInt8] { Array(output.utf8) }
    /// What it wrote to stderr so far.
    var errors: String { Self.text(errorPath) }
    var errorLines: [String] { errors.split(separator: "\n").map(String.init) }

    /// Whether it has not ended yet.
    var isRunning: Bool {
        poll()
        return ending == nil
    }

    func signal(_ number: Int32) {
        poll()
        if ending == nil { kill(process, number) }
    }

    /// Kills it the hard way and waits until it is gone.
    func killHard() async throws {
        signal(SIGKILL)
        _ = try await end(within: 30)
    }

    /// Waits for its end; one that does not end is an issue of the test and is killed.
    @discardableResult
    func end(
        within seconds: Double,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> Ending {
        do {
            try await eventually(
                "the end of the program",
                within: seconds,
                sourceLocation: sourceLocation
            ) { !isRunning }
        } catch {
            print("its last words: \(errorLines.suffix(20).joined(separator: "\n"))")
            throw error
        }
        return try #require(ending)
    }

    private func poll() {
        guard ending == nil else { return }
        var status: Int32 = 0
        guard waitpid(process, &status, WNOHANG) == process else { return }
        let signal = status & 0x7f
        ending = signal == 0 ? .exited(status >> 8 & 0xff) : .killed(signal: signal)
    }

    private static func text(_ path: String) -> String {
        do {
            return String(
                decoding: try Data(contentsOf: URL(fileURLWithPath: path)),
                as: UTF8.self
            )
        } catch {
            return "(\(path) cannot be read: \(error))"
        }
    }
}
