import Arguments

/// The commands that ask a running daemon.
struct DaemonCommand {
    private let arguments: ParsedArguments

    init(_ arguments: ParsedArguments) {
        self.arguments = arguments
    }

    func run() throws(ExitStatus) {
        throw .unreachable
    }
}
