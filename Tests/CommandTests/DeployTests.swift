import Foundation
import Glibc
import TestKit
import Testing

/// The repository.
private let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../..").standardizedFileURL.path

private let unit = root + "/deploy/cohortd.service"
private let analyze = "/usr/bin/systemd-analyze"
private let hasSystemd = FileManager.default.isExecutableFile(atPath: analyze)

@Suite("Deployment")
struct DeployTests {
    /// The exposure that systemd finds in a unit, in tenths, or nil where it says none.
    private func exposure(of unit: String) throws -> Int? {
        let run = try ProgramRun(
            analyze,
            ["security", "--offline=true", "--no-pager", unit],
            environment: ["LC_ALL": "C.UTF-8"]
        )
        let words = run.outputText.split(separator: "\n").last?.split(separator: " ") ?? []
        guard let place = words.firstIndex(where: { $0.hasSuffix(".service:") }),
            let number = words[(place + 1)...].first.flatMap({ Double($0) })
        else { return nil }
        return Int((number * 10).rounded())
    }

    @Test(
        "the unit's exposure is at most 1.5",
        .enabled(if: hasSystemd, "there is no systemd-analyze; apt-get install systemd")
    )
    func exposure() throws {
        let found = try #require(try exposure(of: unit))
        #expect(found <= 15)
        // One line less is seen: the figure is of this file.
        let folder = try TemporaryFolder()
        let text = try String(contentsOfFile: unit, encoding: .utf8)
        #expect(text.contains("CapabilityBoundingSet=\n"))
        let weaker = try folder.write(
            "weaker.service",
            text.replacing("CapabilityBoundingSet=\n", with: "").replacing(
                "PrivateUsers=yes\n",
                with: ""
            )
        )
        #expect(try #require(try exposure(of: weaker.path)) > 15)
    }

    @Test(
        "systemd has nothing to say about the unit, nor about its drop-ins",
        .enabled(if: hasSystemd, "there is no systemd-analyze; apt-get install systemd")
    )
    func verify() throws {
        let folder = try TemporaryFolder()
        let text = try String(contentsOfFile: unit, encoding: .utf8)
        #expect(text.contains("\nExecStart=/usr/bin/cohortd run\n"))
        let file = try folder.write(
            "cohortd.service",
            text.replacing("=/usr/bin/cohortd", with: "=/bin/true")
        )
        for example in ["credentials", "network", "limits"] {
            try folder.write(
                "cohortd.service.d/\(example).conf",
                try String(
                    contentsOfFile: "\(root)/deploy/examples/\(example).conf",
                    encoding: .utf8
                )
            )
        }
        let run = try ProgramRun(
            analyze,
            ["verify", "--man=no", file.path],
            environment: ["SYSTEMD_UNIT_PATH": "\(folder.url.path):"]
        )
        #expect(run.status == 0)
        #expect(run.errors == "" && run.outputText == "")
    }

    @Test("the unit's time to stop and statuses are those of the program")
    func numbers() throws {
        let text = try String(contentsOfFile: unit, encoding: .utf8)
        for line in [
            "Type=notify", "WatchdogSec=30", "User=cohortd", "UMask=0077",
            "StateDirectoryMode=0700",
            "RestartPreventExitStatus=64 65 73 78", "TimeoutStopSec=90",
        ] {
            #expect(text.contains("\n\(line)\n"), "\(line)")
        }
        // A configuration with a problem does not reach the daemon.
        let check = try #require(text.range(of: "\nExecReload=/usr/bin/cohortd check\n"))
        let signal = try #require(text.range(of: "\nExecReload=/bin/kill -HUP $MAINPID\n"))
        #expect(check.lowerBound < signal.lowerBound)
    }

    // MARK: install

    private func install(_ arguments: String...) throws -> ProgramRun {
        try ProgramRun(root + "/deploy/install", arguments)
    }

    /// A folder with programs of these names that need nothing of Swift's.
    private func programs(_ folder: TemporaryFolder) throws -> String {
        let bytes = try Data(contentsOf: URL(fileURLWithPath: "/bin/true"))
        for name in ["cohortd", "cohortctl"] {
            let file = try folder.write("build/\(name)", bytes)
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o755],
                ofItemAtPath: file.path
            )
        }
        return folder.url.path + "/build"
    }

    private func files(below folder: String) -> Set<String> {
        let walker = FileManager.default.enumerator(atPath: folder)
        var found: Set<String> = []
        while let name = walker?.nextObject() as? String {
            var isFolder: ObjCBool = false
            if FileManager.default.fileExists(atPath: "\(folder)/\(name)", isDirectory: &isFolder),
                !isFolder.boolValue
            {
                found.insert(name)
            }
        }
        return found
    }

    @Test(
        "a staged installation has everything in its place, again and again, and is taken away but for /etc"
    )
    func staged() throws {
        let folder = try TemporaryFolder()
        let from = try programs(folder)
        let stage = folder.url.path + "/stage"
        let first = try install("--from", from, "--root", stage, "--prefix", "/opt/cohortd")
        #expect(first.status == 0, "\(first.errors)")
        let found = files(below: stage)
        for name in [
            "opt/cohortd/bin/cohortd", "opt/cohortd/bin/cohortctl",
            "opt/cohortd/lib/systemd/system/cohortd.service",
            "opt/cohortd/lib/sysusers.d/cohortd.conf", "opt/cohortd/lib/tmpfiles.d/cohortd.conf",
            "opt/cohortd/share/doc/cohortd/operations.md",
            "opt/cohortd/share/doc/cohortd/examples/win-back.yaml",
            "opt/cohortd/share/doc/cohortd/examples/systemd/credentials.conf",
            "etc/cohortd/cohortd.yaml", "etc/cohortd/destinations/templates/talon-one.yaml",
            "etc/default/cohortd",
        ] {
            #expect(found.contains(name), "\(name)")
        }
        #expect(!found.contains { $0.hasSuffix(".new") })
        let unit = try folder.text("stage/opt/cohortd/lib/systemd/system/cohortd.service")
        #expect(unit.contains("\nExecStart=/opt/cohortd/bin/cohortd run\n"))

        try folder.write("stage/etc/cohortd/cohortd.yaml", "tick: 10s\n")
        let second = try install("--from", from, "--root", stage, "--prefix", "/opt/cohortd")
        #expect(second.status == 0, "\(second.errors)")
        #expect(files(below: stage) == found)
        #expect(try folder.text("stage/etc/cohortd/cohortd.yaml") == "tick: 10s\n")

        let away = try install("--uninstall", "--root", stage, "--prefix", "/opt/cohortd")
        #expect(away.status == 0, "\(away.errors)")
        #expect(files(below: stage) == found.filter { $0.hasPrefix("etc/") })
    }

    @Test("the installed configuration checks, and its templates can be used")
    func configuration() throws {
        let folder = try TemporaryFolder()
        let stage = folder.url.path + "/stage"
        let installed = try install("--from", try programs(folder), "--root", stage)
        #expect(installed.status == 0, "\(installed.errors)")
        try folder.write(
            "stage/etc/cohortd/destinations/shop.yaml",
            "id: shop\ntemplate: talon-one\n"
                + "settings: {api_key: \"credential:shop\", deployment: shop.talon.one}\n"
        )
        let check = try ProgramRun(
            "cohortd",
            ["check", "--config", "\(stage)/etc/cohortd/cohortd.yaml"],
            environment: [:]
        )
        #expect(check.status == 0, "\(check.errors)")
        #expect(check.outputText.hasPrefix("0 cohorts, 1 destination, 0 syncs: all valid\n"))
    }

    @Test("programs that need the toolchain's libraries, or are not there, are refused")
    func refused() throws {
        let folder = try TemporaryFolder()
        let stage = folder.url.path + "/stage"
        let built = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
            .deletingLastPathComponent().path
        let dynamic = try install("--from", built, "--root", stage)
        #expect(dynamic.status == 66)
        #expect(dynamic.errors.contains("build it with deploy/build"))
        let missing = try install("--from", folder.url.path + "/none", "--root", stage)
        #expect(missing.status == 66)
        #expect(files(below: stage) == [])
        for arguments in [["--root"], ["--prefix", "usr"], ["--frm", "x"]] {
            let run = try ProgramRun(root + "/deploy/install", arguments)
            #expect(run.status == 64 && run.errors.contains("usage: "), "\(arguments)")
        }
    }

    @Test(
        "sysusers.d and tmpfiles.d make the user and the folders, and the daemon's are its own",
        .enabled(if: hasSystemd && geteuid() == 0, "this needs systemd and root")
    )
    func users() throws {
        let folder = try TemporaryFolder()
        let stage = folder.url.path
        // Where accounts are kept.
        try #require(mkdir("\(stage)/etc", 0o755) == 0)
        for (tool, arguments) in [
            ("systemd-sysusers", ["\(root)/deploy/cohortd.sysusers"]),
            ("systemd-tmpfiles", ["--create", "\(root)/deploy/cohortd.tmpfiles"]),
        ] {
            let run = try ProgramRun("/usr/bin/\(tool)", ["--root=\(stage)"] + arguments)
            #expect(run.status == 0, "\(run.errors)")
        }
        let user = try #require(
            try folder.text("etc/passwd").split(separator: "\n").first { $0.hasPrefix("cohortd:") }
        )
        #expect(user.hasSuffix(":/var/lib/cohortd:/usr/sbin/nologin"))
        let id = try #require(UInt32(user.split(separator: ":")[2]))
        for (path, mode, owner, group) in [
            ("etc/cohortd", 0o750, 0, id), ("etc/cohortd/credentials", 0o700, 0, 0),
            ("var/lib/cohortd", 0o700, id, id),
        ] {
            var status = stat()
            try #require(stat("\(stage)/\(path)", &status) == 0, "\(path)")
            #expect(status.st_mode & 0o7777 == mode_t(mode), "\(path)")
            #expect(status.st_uid == owner && status.st_gid == group, "\(path)")
        }
    }
}
