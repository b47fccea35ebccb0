import Foundation
import Glibc
import Testing

extension DaemonTests {
    @Suite("shown by the demo")
    struct DemoTests {
        private struct Record: Decodable {
            var tick: String
            var cohort: String
            var user: String
            var op: String
        }

        private static let kcat = ["/usr/bin/kcat", "/usr/local/bin/kcat"].first {
            FileManager.default.isExecutableFile(atPath: $0)
        }

        private func records(_ program: Program) throws -> [Record] {
            let text = program.output
            let whole = text[..<(text.lastIndex(of: "\n") ?? text.startIndex)]
            return try whole.split(separator: "\n").map {
                try JSONDecoder().decode(Record.self, from: Data($0.utf8))
            }
        }

        @Test(
            "it prints delta records and nothing else on stdout, takes events of kcat, and ends with Ctrl-C"
        )
        func interrupted() async throws {
            let folder = try DaemonUnderTest()
            let program = try Program(
                "cohortd",
                ["demo"],
                folder: folder.path,
                environment: ["TMPDIR": folder.path]
            )
            try await eventually("both addresses") {
                program.errors.contains("http: http://127.0.0.1:")
            }
            let lines = program.errorLines
            #expect(lines.first?.wholeMatch(of: #/kafka: 127\.0\.0\.1:\d+/#) != nil)
            #expect(
                lines.dropFirst().first?.wholeMatch(of: #/http: http:\/\/127\.0\.0\.1:\d+/#) != nil
            )
            let kafka = try #require(lines.first).dropFirst("kafka: ".count)
            try await eventually("the first deltas") { !program.output.isEmpty }
            if let kcat = Self.kcat {
                let events = [150, 190].map {
                    #"{"user_id":"from-kcat","event_type":"purchase","event_properties":{"price":\#($0)}}"#
                }
                try folder.write("kcat.jsonl", events.map { $0 + "\n" }.joined())
                let arguments = "-P -b \(kafka) -t events -p 2 -l \(folder.path)/kcat.jsonl"
                let publish = try Program(
                    kcat,
                    arguments.split(separator: " ").map(String.init),
                    folder: folder.path
                )
                #expect(try await publish.end(within: 60) == .exited(0), "\(publish.errors)")
                try await eventually("kcat's user enters") {
                    try records(program).contains {
                        $0.user == "from-kcat" && $0.cohort == "big-spenders" && $0.op == "enter"
                    }
                }
            } else {
                print("kcat is not installed: publishing with it is not tested")
            }
            program.signal(SIGINT)
            #expect(try await program.end(within: 60) == .exited(0))
            let printed = try records(program)
            #expect(program.output.last == "\n")
            #expect(
                Set(printed.map(\.cohort)).isSubset(of: [
                    "active-now", "cart-abandoners", "big-spenders",
                ])
            )
            #expect(printed.allSatisfy { $0.op == "enter" || $0.op == "exit" })
            #expect(printed.allSatisfy { milliseconds($0.tick).map { $0 % 1000 == 0 } ?? false })
            #expect(program.errors.contains("refused 0"), "\(program.errors)")
            let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            #expect(left.filter { $0.hasPrefix("cohortd-demo") } == [])
        }

        @Test(
            "it ends by itself after --seconds, listens where --http-port says, and leaves nothing behind"
        )
        func seconds() async throws {
            let folder = try DaemonUnderTest()
            let program = try Program(
                "cohortd",
                ["demo", "--seconds", "6", "--rate", "200", "--http-port", "\(folder.port)"],
                folder: folder.path,
                environment: ["TMPDIR": folder.path]
            )
            try await eventually("it listens") { try folder.get("/healthz")?.status == 200 }
            #expect(try await program.end(within: 60) == .exited(0))
            _ = try records(program)
            #expect(program.errors.contains("http: http://127.0.0.1:\(folder.port)\n"))
            let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            #expect(left.filter { $0.hasPrefix("cohortd-demo") } == [])
        }
    }
}
