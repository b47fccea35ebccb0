import Foundation
import Testing

/// Where an Apache Kafka to test against is unpacked; nil skips those tests.
let kafkaHome = ProcessInfo.processInfo.environment["KAFKA_HOME"].flatMap { $0.isEmpty ? nil : $0 }

/// A program that failed.
struct ProgramFailed: Error {
    let text: String
}

/// Runs a program to its end and returns what it wrote.
func run(_ program: String, _ arguments: [String]) async throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    let output = FileManager.default.temporaryDirectory.appendingPathComponent(
        "cohortd-\(UUID().uuidString).txt"
    )
    _ = FileManager.default.createFile(atPath: output.path, contents: nil)
    defer {
        do {
            try FileManager.default.removeItem(at: output)
        } catch {
            Issue.record("\(output.path) cannot be removed: \(error)")
        }
    }
    // A file, not a pipe: a broker that goes on in the background would keep a pipe open.
    let handle = try FileHandle(forWritingTo: output)
    process.standardOutput = handle
    process.standardError = handle
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
        process.terminationHandler = { _ in continuation.resume() }
        do {
            try process.run()
        } catch {
            Issue.record("\(program) cannot be run: \(error)")
            continuation.resume()
        }
    }
    try handle.close()
    let text = String(decoding: try Data(contentsOf: output), as: UTF8.self)
    guard process.terminationStatus == 0 else {
        throw ProgramFailed(text: "\(program) \(arguments): \(text)")
    }
    return text
}

/// One broker for a whole suite, started before its first test and stopped after its last.
struct ApacheKafka: SuiteTrait, TestScoping {
    /// The broker's address while the suite runs.
    @TaskLocal static var bootstrap = ""

    private static let script =
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("tools/kafka-broker").path

    @concurrent func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing function: @Sendable @concurrent () async throws -> Void
    ) async throws {
        guard kafkaHome != nil else {
            print("KAFKA_HOME is not set: the tests against Apache Kafka are skipped")
            return
        }
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "cohortd-kafka-\(UUID().uuidString)"
        )
        var failure: (any Error)?
        do {
            let address = try await run(Self.script, ["start", folder.path])
                .trimmingCharacters(in: .whitespacesAndNewlines)
            try await Self.$bootstrap.withValue(address) { try await function() }
        } catch {
            failure = error
        }
        if FileManager.default.fileExists(atPath: folder.appendingPathComponent("pid").path) {
            _ = try await run(Self.script, ["stop", folder.path])
        }
        try FileManager.default.removeItem(at: folder)
        if let failure { throw failure }
    }
}

extension Trait where Self == ApacheKafka {
    /// Runs the suite with a broker of its own.
    static var apacheKafka: Self { ApacheKafka() }
}
