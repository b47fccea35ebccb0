import Basics
import Glibc
import InputFiles

/// The terminal while `cohortctl top` has it: a second screen without a cursor, given back at the end, at Ctrl-C
/// and while the program is stopped.
///
/// One at a time: signals belong to the process.
struct TopScreen: ~Copyable {
    /// Takes the terminal.
    init() {
        Self.enter()
        for number in [SIGINT, SIGTERM, SIGHUP] {
            signal(number) { _ in
                TopScreen.leave()
                _exit(0)
            }
        }
        signal(SIGTSTP, Self.stop)
        signal(SIGCONT) { _ in
            let code = errno
            signal(SIGTSTP, TopScreen.stop)
            TopScreen.enter()
            errno = code
        }
    }

    deinit {
        for number in [SIGINT, SIGTERM, SIGHUP, SIGTSTP, SIGCONT] { signal(number, SIG_DFL) }
        Self.leave()
    }

    /// Shows lines from the top; what does not fit is cut.
    func show(_ lines: [String]) -> Bool {
        var size = winsize()
        let isKnown = ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_row > 1
        let rows = isKnown ? Int(size.ws_row) : 24
        let columns = isKnown && size.ws_col > 0 ? Int(size.ws_col) : 80
        var shown = lines
        if shown.count > rows {
            shown = Array(lines.prefix(rows - 1))
            shown.append("… \(lines.count - rows + 1) more lines")
        }
        // Home; each line with the rest of its row cleared, then all below. The terminal makes \n a new line's start.
        let text =
            "\u{1B}[H" + shown.map { $0.prefix(columns) + "\u{1B}[K" }.joined(separator: "\n")
            + "\u{1B}[J"
        return DescriptorWriter.writeAll(Array(text.utf8), to: STDOUT_FILENO)
    }

    /// Whether stdout is a terminal that can do that.
    static var isThere: Bool {
        guard isatty(STDOUT_FILENO) == 1, let term = getenv("TERM") else { return false }
        return !["", "dumb"].contains(String(cString: term))
    }

    // Called by handlers of signals, too: nothing but a write of bytes that are there.

    private static func enter() { send("\u{1B}[?1049h\u{1B}[?25l") }

    private static func leave() { send("\u{1B}[?25h\u{1B}[?1049l") }

    private static func send(_ text: StaticString) {
        _ = write(STDOUT_FILENO, text.utf8Start, text.utf8CodeUnitCount)
    }

    /// Gives the terminal back and stops as the signal would have; SIGCONT takes it again.
    private static let stop: @convention(c) (Int32) -> Void = { number in
        let code = errno
        TopScreen.leave()
        signal(number, SIG_DFL)
        raise(number)
        errno = code
    }
}
