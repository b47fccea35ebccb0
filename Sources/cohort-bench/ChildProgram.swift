import Basics
import Glibc
import InputFiles

/// A program that this one started and talks to through its stdin and stdout; its stderr is ours.
///
/// A class, since whoever drops it must not leave it running.
final class ChildProgram {
    /// Why it is of no use.
    struct Failure: Error {
        let text: String
    }

    private let name: String
    private let process: pid_t
    private var input: Int32
    private let output: Int32
    private var received: [UInt8] = []
    private var status: Int32?

    /// This very program.
    static var itself: String {
        var path = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        let count = readlink("/proc/self/exe", &path, path.count - 1)
        let bytes = path.prefix(max(0, count)).map { UInt8(bitPattern: $0) }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Starts it.
    ///
    /// - Parameters:
    ///   - path: The program.
    ///   - arguments: Without the first word.
    ///   - core: Where all its threads run; nil is everywhere.
    /// - Throws: `Failure` where it cannot be started.
    init(_ path: String, _ arguments: [String], core: Int?) throws(Failure) {
        name = ([path] + arguments.prefix(1)).joined(separator: " ")
        var toChild: [Int32] = [0, 0]
        var fromChild: [Int32] = [0, 0]
        guard pipe(&toChild) == 0, pipe(&fromChild) == 0 else {
            throw Failure(text: "no pipe: \(SystemError.text(errno))")
        }
        // Programs that are started later get none of them.
        for end in toChild + fromChild { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_adddup2(&actions, toChild[0], STDIN_FILENO)
        posix_spawn_file_actions_adddup2(&actions, fromChild[1], STDOUT_FILENO)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            Glibc.close(toChild[0])
            Glibc.close(fromChild[1])
        }
        let command = ProcessorCore.words([path] + arguments, on: core)
        var words: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) }
        words.append(nil)
        defer { for word in words { free(word) } }
        var process: pid_t = 0
        let problem = posix_spawnp(&process, command[0], &actions, nil, words, environ)
        input = toChild[1]
        output = fromChild[0]
        self.process = process
        guard problem == 0 else {
            status = 0
            throw Failure(text: "cannot start \(command[0]): \(SystemError.text(problem))")
        }
    }

    deinit {
        if status == nil {
            kill(process, SIGKILL)
            _ = wait()
        }
        closeInput()
        Glibc.close(output)
    }

    /// The next line that it prints, without its LF.
    func line() throws(Failure) -> String {
        while true {
            if let end = received.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: received[..<end], as: UTF8.self)
                received.removeFirst(end + 1)
                return line
            }
            guard receive() else { throw Failure(text: "\(name) ended: \(ending(wait()))") }
        }
    }

    /// Everything else that it prints until it ends in good order.
    func rest() throws(Failure) -> String {
        while receive() {}
        let status = wait()
        guard status == 0 else { throw Failure(text: "\(name) ended: \(ending(status))") }
        return String(decoding: received, as: UTF8.self)
    }

    /// Gives it a line to read.
    func tell(_ line: String) {
        // One that has ended says so where it is listened to.
        _ = DescriptorWriter.writeAll(Array((line + "\n").utf8), to: input)
    }

    /// Lets it read no more.
    func closeInput() {
        if input >= 0 { Glibc.close(input) }
        input = -1
    }

    /// Holds it where it is, or lets it go on.
    func freeze(_ isFrozen: Bool) {
        kill(process, isFrozen ? SIGSTOP : SIGCONT)
    }

    private func receive() -> Bool {
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(output, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            received += chunk[..<count]
            return true
        }
    }

    private func wait() -> Int32 {
        if let status { return status }
        var ended: Int32 = 0
        while waitpid(process, &ended, 0) < 0, errno == EINTR {}
        status = ended
        return ended
    }

    private func ending(_ status: Int32) -> String {
        status & 0x7f == 0 ? "status \(status >> 8 & 0xff)" : "signal \(status & 0x7f)"
    }
}
