import Basics
import Foundation
import HTTPAPI
import TestKit
import Testing

/// How a program ended.
struct Ended {
    var status: Int32
    var output: String
    var errors: String
}

/// The built programs.
enum Cohortctl {
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
        let environment = server.map { ["COHORTD_ADDRESS": "http://\($0.address)"] } ?? [:]
        return try run(arguments, environment: environment, output: path)
    }

    static func run(
        _ arguments: [String],
        environment: [String: String],
        output path: String? = nil,
        program: String = "cohortctl"
    ) throws -> Ended {
        let run = try ProgramRun(
            program,
            arguments,
            environment: environment,
            outputPath: path
        )
        try #require(run.status >= 0, "\(program) was ended by signal \(-run.status)")
        return Ended(status: run.status, output: run.outputText, errors: run.errors)
    }
}
