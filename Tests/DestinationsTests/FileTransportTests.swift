import Destinations
import Foundation
import Sync
import Testing

@Suite("Files of JSON Lines")
struct FileTransportTests {
    static let first =
        #"{"tick":"2026-01-02T03:04:00Z","cohort":"c","user":"u1","op":"enter"}"# + "\n"
    static let second =
        #"{"tick":"2026-01-02T03:05:00Z","cohort":"c","user":"u1","op":"exit"}"# + "\n"

    /// Appends each batch with a transport of its own life and returns the outcomes.
    private func append(_ batches: [String], to path: String) throws -> [DeliveryOutcome] {
        let outcomes = Outcomes<DeliveryOutcome>()
        let transport = FileTransport(path: path) { outcomes.add($0, $1) }
        for (index, batch) in batches.enumerated() {
            transport.submit(lines: Array(batch.utf8), token: UInt64(index))
        }
        transport.stop()
        return try batches.indices.map { try outcomes.wait(for: UInt64($0)) }
    }

    private func content(_ path: String) throws -> String {
        try String(contentsOfFile: path, encoding: .utf8)
    }

    /// What the first outcome says of a batch that is to be tried again.
    private func failure(
        _ outcomes: [DeliveryOutcome]
    ) throws -> (text: String, isKnownNotApplied: Bool) {
        guard
            case .retriable(let detail, nil, let knownNotApplied) = try #require(outcomes.first)
        else { throw CocoaError(.featureUnsupported) }
        return (detail, knownNotApplied)
    }

    @Test("batches are appended in order to a new file of mode 0640, and to the same file later")
    func appended() throws {
        try withTemporaryDirectory { directory in
            let path = "\(directory)/out.jsonl"
            #expect(try append([Self.first, Self.second], to: path) == [.delivered, .delivered])
            #expect(try append([Self.first], to: path) == [.delivered])
            #expect(try content(path) == Self.first + Self.second + Self.first)
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions]
            #expect(mode as? Int == 0o640)
        }
    }

    @Test("a torn last line is cut before the first append, at every length it can have")
    func torn() throws {
        try withTemporaryDirectory { directory in
            for count in 0..<Self.second.utf8.count {
                let path = "\(directory)/\(count).jsonl"
                let torn = String(Self.second.prefix(count))
                try Data((Self.first + torn).utf8).write(to: URL(filePath: path))
                #expect(try append([Self.second], to: path) == [.delivered])
                #expect(try content(path) == Self.first + Self.second, "\(count)")
            }
        }
    }

    @Test("a torn only line is cut, and so are zeros left by a power cut")
    func tornOnly() throws {
        try withTemporaryDirectory { directory in
            let path = "\(directory)/out.jsonl"
            for torn in [Data(Self.first.utf8.dropLast()), Data(count: 200_000)] {
                try torn.write(to: URL(filePath: path))
                #expect(try append([Self.second], to: path) == [.delivered])
                #expect(try content(path) == Self.second)
            }
        }
    }

    @Test("an unfinished line that is not ours is left alone")
    func foreign() throws {
        try withTemporaryDirectory { directory in
            let path = "\(directory)/notes.txt"
            try Data("line\nprecious words".utf8).write(to: URL(filePath: path))
            let failure = try failure(try append([Self.first], to: path))
            #expect(failure.isKnownNotApplied)
            #expect(failure.text.contains("not ours") && failure.text.contains(path))
            #expect(try content(path) == "line\nprecious words")
        }
    }

    @Test("a missing directory is an error with its remedy, and no longer one once it is there")
    func missingDirectory() throws {
        try withTemporaryDirectory { directory in
            let outcomes = Outcomes<DeliveryOutcome>()
            let transport = FileTransport(path: "\(directory)/later/out.jsonl") {
                outcomes.add($0, $1)
            }
            transport.submit(lines: Array(Self.first.utf8), token: 1)
            let failure = try failure([try outcomes.wait(for: 1)])
            #expect(failure.isKnownNotApplied)
            #expect(failure.text.hasSuffix("create the directory \(directory)/later"))
            try FileManager.default.createDirectory(
                atPath: "\(directory)/later",
                withIntermediateDirectories: false
            )
            transport.submit(lines: Array(Self.first.utf8), token: 2)
            #expect(try outcomes.wait(for: 2) == .delivered)
            transport.stop()
        }
    }

    @Test("a file that was moved away is made anew")
    func rotated() throws {
        try withTemporaryDirectory { directory in
            let path = "\(directory)/out.jsonl"
            let outcomes = Outcomes<DeliveryOutcome>()
            let transport = FileTransport(path: path) { outcomes.add($0, $1) }
            transport.submit(lines: Array(Self.first.utf8), token: 1)
            #expect(try outcomes.wait(for: 1) == .delivered)
            try FileManager.default.moveItem(atPath: path, toPath: path + ".1")
            transport.submit(lines: Array(Self.second.utf8), token: 2)
            #expect(try outcomes.wait(for: 2) == .delivered)
            transport.stop()
            #expect(try content(path + ".1") == Self.first)
            #expect(try content(path) == Self.second)
        }
    }

    @Test("what is no regular file is refused", arguments: ["/dev/full", "/dev/null", "/tmp"])
    func notAFile(_ path: String) throws {
        let failure = try failure(try append([Self.first], to: path))
        #expect(failure.isKnownNotApplied)
        #expect(failure.text.hasPrefix(path) && failure.text.contains(";"))
    }

    @Test("a batch after the stop is not written and says so")
    func afterStop() throws {
        try withTemporaryDirectory { directory in
            let outcomes = Outcomes<DeliveryOutcome>()
            let transport = FileTransport(path: "\(directory)/out.jsonl") { outcomes.add($0, $1) }
            transport.stop()
            transport.submit(lines: Array(Self.first.utf8), token: 1)
            let late = try failure([try outcomes.wait(for: 1)])
            #expect(late.isKnownNotApplied)
            #expect(!FileManager.default.fileExists(atPath: "\(directory)/out.jsonl"))
        }
    }
}
