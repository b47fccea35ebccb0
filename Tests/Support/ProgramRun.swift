package import Foundation

/// A program of this package that ran to its end.
package struct ProgramRun {
    /// The exit status, or minus the signal that ended it.
    package let status: Int32
    /// What it wrote to stdout.
    package let output: Data
    /// What it wrote to stderr.
    package let errors: String

    /// The lines of stderr.
    package var errorLines: [String] {
        errors.split(separator: "\n", omittingEmptySubsequences: true).map(String.init)
    }

    /// stdout as text.
    package var outputText: String { String(decoding: output, as: UTF8.self) }

    /// Runs a program that was built beside the tests.
    ///
    /// - Parameters:
    ///   - program: Its name, or a path that begins with `/`.
    ///   - arguments: Without the program's name.
    ///   - folder: The working folder.
    ///   - input: What it reads from stdin; nothing by default.
    ///   - environment: All of its environment; nil = that of the tests.
    ///   - outputPath: A file that is there to be stdout; then ``output`` is empty.
    /// - Throws: What Foundation throws where a file or the program cannot be opened.
    package init(
        _ program: String,
        _ arguments: [String],
        in folder: URL? = nil,
        input: Data = Data(),
        environment: [String: String]? = nil,
        outputPath: String? = nil
    ) throws {
        // Files and not pipes: nobody has to read while it runs.
        let scratch = try TemporaryFolder()
        let inputFile = try scratch.write("stdin", input)
        let outputFile = try scratch.write("stdout", Data())
        let errorFile = try scratch.write("stderr", Data())
        let process = Process()
        process.executableURL =
            program.hasPrefix("/")
            ? URL(fileURLWithPath: program) : Self.productFolder.appendingPathComponent(program)
        process.arguments = arguments
        if let folder { process.currentDirectoryURL = folder }
        process.standardInput = try FileHandle(forReadingFrom: inputFile)
        if let environment { process.environment = environment }
        process.standardOutput = try FileHandle(
            forWritingTo: outputPath.map { URL(fileURLWithPath: $0) } ?? outputFile
        )
        process.standardError = try FileHandle(forWritingTo: errorFile)
        try process.run()
        process.waitUntilExit()
        status =
            process.terminationReason == .exit
            ? process.terminationStatus : -process.terminationStatus
        output = try Data(contentsOf: outputFile)
        errors = String(decoding: try Data(contentsOf: errorFile), as: UTF8.self)
    }

    /// Where the build puts programs: the folder of the test program itself.
    private static let productFolder = URL(fileURLWithPath: "/proc/self/exe")
        .resolvingSymlinksInPath().deletingLastPathComponent()
}
