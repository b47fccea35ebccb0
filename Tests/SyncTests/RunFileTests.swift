import Basics
import Sync
import Testing

@Suite("Files of runs")
struct RunFileTests {
    private func run(_ users: [String], _ properties: [String] = []) -> RunRequest {
        var members = RunRequest.Members()
        members.users = UserList(users)
        members.properties = UserList(properties)
        return RunRequest(
            syncID: "s",
            destinationID: "d",
            cohortID: "vip",
            tick: EventTime(milliseconds: 1_767_323_040_000),
            entering: members,
            exiting: RunRequest.Members(),
            existing: RunRequest.Members()
        )
    }

    private func text(
        _ run: RunRequest,
        _ part: RunFile.Part = .entering,
        columns: [String] = [],
        pieceByteCount: Int = 1 << 20
    ) -> String {
        var file = RunFile(part, of: run, columns: columns)
        var bytes: [UInt8] = []
        while let piece = file.next(byteCount: pieceByteCount) { bytes += piece }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test("names hold cohort, tick and part, and nothing that a file system refuses")
    func names() {
        #expect(
            RunFile.Part.allCases.map { RunFile($0, of: run([]), columns: []).name } == [
                "vip_2026-01-02T03-04-00Z_entering.csv", "vip_2026-01-02T03-04-00Z_exiting.csv",
                "vip_2026-01-02T03-04-00Z_existing.csv",
            ]
        )
    }

    @Test("texts are bare, other values JSON, and what is missing or null is empty")
    func values() {
        let run = run(
            ["a", "b", "c"],
            [
                #"{"plan":"pro","visits":12,"tags":["x","y"],"vip":true}"#,
                #"{"vip":false,"plan":"say \"hi\"\nto, them","visits":-1.5e3,"tags":{"k":1}}"#,
                #"{"visits":null,"other":1}"#,
            ]
        )
        #expect(
            text(run, columns: ["plan", "visits", "tags", "vip"]) == """
                user_id,plan,visits,tags,vip
                a,pro,12,"[""x"",""y""]",true
                b,"say ""hi""
                to, them",-1.5e3,"{""k"":1}",false
                c,,,,

                """
        )
    }

    @Test("a run without properties has empty cells, an empty part a header alone")
    func empty() {
        #expect(text(run(["u"]), columns: ["plan", "a,\"b"]) == "user_id,plan,\"a,\"\"b\"\nu,,\n")
        #expect(text(run(["u"]), .existing) == "user_id\n")
    }

    @Test("what a spreadsheet takes for a formula is defused, numbers keep their sign")
    func formulas() {
        let cases = [
            "=cmd": "'=cmd", "+1+2": "'+1+2", "-2+3": "'-2+3", "@SUM(A1)": "'@SUM(A1)",
            "\tx": "'\tx", "\r=1": "\"'\r=1\"", "=\"a\"": "\"'=\"\"a\"\"\"", "-": "'-",
            "-5": "-5", "+491701234567": "+491701234567", "-1.5e+3": "-1.5e+3", "-1.": "'-1.",
            "a=b": "a=b", "ü": "ü", " ": " ", "1e": "1e",
        ]
        for (user, cell) in cases { #expect(text(run([user])) == "user_id\n\(cell)\n") }
    }

    @Test("a file is the same in pieces of any size")
    func pieces() {
        let run = run((0..<50).map { "user\($0)" })
        let whole = text(run)
        for count in [0, 1, 7, 100, 1000] { #expect(text(run, pieceByteCount: count) == whole) }
    }
}
