import Basics
import Destinations
import Foundation
import Sync
import Testing

@Suite("Runs as CSV files")
struct RunFolderTransportTests {
    static let names = ["entering", "exiting", "existing"].map {
        "vip_2026-01-02T03-04-00Z_\($0).csv"
    }

    private func write(
        _ run: RunRequest,
        columns: [String] = [],
        to directory: String
    ) throws -> DeliveryOutcome {
        let outcomes = Outcomes<DeliveryOutcome>()
        let transport = RunFolderTransport(directory: directory) { outcomes.add($0, $1) }
        transport.submit(run, columns: columns, token: 1)
        transport.stop()
        return try outcomes.wait(for: 1)
    }

    private func listed(_ directory: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
    }

    @Test("a run is three files of mode 0640, and a repetition replaces them")
    func written() throws {
        try withTemporaryDirectory { directory in
            let first = run(entering: ["old"], exiting: [], existing: [])
            #expect(try write(first, to: directory) == .delivered)
            var second = run(entering: ["u1"], exiting: ["u2"], existing: ["u3", "u4"])
            second.entering.properties = UserList([#"{"plan":"pro"}"#])
            #expect(try write(second, columns: ["plan"], to: directory) == .delivered)
            #expect(try listed(directory) == Self.names.sorted())
            let texts = try Self.names.map {
                try String(contentsOfFile: "\(directory)/\($0)", encoding: .utf8)
            }
            #expect(
                texts == [
                    "user_id,plan\nu1,pro\n", "user_id,plan\nu2,\n", "user_id,plan\nu3,\nu4,\n",
                ]
            )
            for name in Self.names {
                let attributes = try FileManager.default.attributesOfItem(
                    atPath: "\(directory)/\(name)"
                )
                #expect(attributes[.posixPermissions] as? Int == 0o640)
            }
        }
    }

    @Test("a missing directory is named, and nothing is known to be written")
    func missing() throws {
        try withTemporaryDirectory { directory in
            let outcome = try write(
                run(entering: [], exiting: [], existing: []),
                to: "\(directory)/later"
            )
            guard case .retriable(let detail, nil, true) = outcome else {
                Issue.record("\(outcome)")
                return
            }
            #expect(detail.hasSuffix("create the directory \(directory)/later"))
        }
    }

    @Test("without its last file a run is not whole, and no temporary file stays behind")
    func partial() throws {
        try withTemporaryDirectory { directory in
            let blocked = "\(directory)/\(Self.names[2])"
            try FileManager.default.createDirectory(
                atPath: blocked,
                withIntermediateDirectories: false
            )
            let run = run(entering: ["u1"], exiting: [], existing: [])
            let outcome = try write(run, to: directory)
            guard case .retriable(let detail, nil, false) = outcome else {
                Issue.record("\(outcome)")
                return
            }
            #expect(detail.contains(blocked) && detail.hasSuffix("remove what has it"))
            #expect(try listed(directory) == Self.names.sorted())
            try FileManager.default.removeItem(atPath: blocked)
            #expect(try write(run, to: directory) == .delivered)
        }
    }

    @Test("a temporary name that somebody made a link of is not written through")
    func link() throws {
        try withTemporaryDirectory { directory in
            let victim = "\(directory)/precious"
            try Data("words".utf8).write(to: URL(filePath: victim))
            try FileManager.default.createSymbolicLink(
                atPath: "\(directory)/.\(Self.names[0]).tmp",
                withDestinationPath: victim
            )
            let run = run(entering: ["u1"], exiting: [], existing: [])
            #expect(try write(run, to: directory) == .delivered)
            #expect(try String(contentsOfFile: victim, encoding: .utf8) == "words")
        }
    }
}

/// A run of 2026-01-02T03:04:00Z.
func run(entering: [String], exiting: [String], existing: [String]) -> RunRequest {
    func members(_ users: [String]) -> RunRequest.Members {
        var members = RunRequest.Members()
        members.users = UserList(users)
        return members
    }
    return RunRequest(
        syncID: "s",
        destinationID: "d",
        cohortID: "vip",
        tick: EventTime(milliseconds: 1_767_323_040_000),
        entering: members(entering),
        exiting: members(exiting),
        existing: members(existing)
    )
}
