import Basics
import Glibc
import HTTPAPI
import Synchronization
import Testing

/// How a program ended.
struct Ended {
    var status: Int32
    var output: String
    var errors: String
}

/// The built programs.
enum Cohortctl {
    /// The test's own program stands in the same folder.
    private static func path(of program: String) -> String {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        let own = String(
            decoding: buffer[0..<max(0, count)].map { UInt8(bitPattern: $0) },
            as: UTF8.self
        )
        return own[..<(own.lastIndex(of: "/") ?? own.startIndex)] + "/" + program
    }

    /// Runs it to its end.
    ///
    /// - Parameters:
    ///   - arguments: The command line without its first word.
    ///   - server: Where COHORTD_ADDRESS points to; nil leaves it unset.
    ///   - path: A file to be stdout; nil keeps what is written.
    /// - Returns: What it left behind.
    /// - Throws: An issue of the test where it cannot be run.
    static func run(
        _ arguments: [String],
        server: HTTPServer? = nil,
        output path: String? = nil
    ) throws -> Ended {
        let environment = server.map { ["COHORTD_ADDRESS=http://\($0.address)"] } ?? []
        return try run(arguments, environment: environment, output: path)
    }

    static func run(
        _ arguments: [String],
        environment: [String],
        output file: String? = nil,
        program: String = "cohortctl"
    ) throws -> Ended {
        let path = path(of: program)
        let output = try Capture()
        let errors = try Capture()
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if let file {
            posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, file, O_WRONLY, 0)
        } else {
            posix_spawn_file_actions_adddup2(&actions, output.descriptor, STDOUT_FILENO)
        }
        posix_spawn_file_actions_adddup2(&actions, errors.descriptor, STDERR_FILENO)
        var words = ([path] + arguments).map { strdup($0) } + [nil]
        var variables = environment.map { strdup($0) } + [nil]
        defer { for text in words + variables { free(text) } }
        var process: pid_t = 0
        let failure = posix_spawn(&process, path, &actions, nil, &words, &variables)
        try #require(failure == 0, "cannot start \(path): \(String(cString: strerror(failure)))")
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0 {
            try #require(errno == EINTR, "waitpid: \(String(cString: strerror(errno)))")
        }
        try #require(status & 0x7f == 0, "\(program) was ended by signal \(status & 0x7f)")
        return Ended(status: status >> 8 & 0xff, output: output.text, errors: errors.text)
    }

    /// A nameless file that a program writes to: unlike a pipe it never fills up.
    private final class Capture {
        let descriptor: Int32

        init() throws {
            var path = Array("/tmp/cohortctl-test-XXXXXX".utf8CString)
            descriptor = mkstemp(&path)
            try #require(descriptor >= 0, "mkstemp: \(String(cString: strerror(errno)))")
            unlink(path)
        }

        deinit { close(descriptor) }

        var text: String {
            var bytes: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            while true {
                let count = pread(descriptor, &buffer, buffer.count, off_t(bytes.count))
                if count <= 0 { return String(decoding: bytes, as: UTF8.self) }
                bytes += buffer[0..<count]
            }
        }
    }
}

/// A daemon that answers from a table, and remembers what it was asked.
final class CannedDaemon: Sendable {
    private let asked = Mutex<[String]>([])

    /// Path and query of every request, as they came.
    var requests: [String] { asked.withLock { $0 } }

    /// Starts; the answer to a path that is not in the table is 404.
    func start(
        _ answers: @escaping @Sendable (HTTPRequest) -> HTTPResponse?
    ) throws -> HTTPServer {
        try HTTPServer(listen: ListenAddress(port: 0)) { request in
            self.asked.withLock { $0.append(request.target) }
            return answers(request)
                ?? .error(status: 404, code: "not_found", "there is nothing at this path")
        }
    }

    /// A daemon that gives these bodies with status 200.
    static func serving(_ bodies: [String: String]) throws -> HTTPServer {
        try CannedDaemon().start { request in
            bodies["/" + request.path.joined(separator: "/")].map { json($0) }
        }
    }
}

/// A JSON answer from its text.
func json(status: Int = 200, _ text: String) -> HTTPResponse {
    HTTPResponse(status: status, contentType: "application/json", body: Array(text.utf8))
}
