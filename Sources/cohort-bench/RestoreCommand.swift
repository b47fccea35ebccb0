import Arguments
import Basics
import Cohorts
import Configuration
import Daemon
import Glibc
import InputFiles

/// `cohort-bench restore`.
struct RestoreCommand {
    private let arguments: ParsedArguments
    private let cohorts: [String]
    private let config: String?
    private let data: String?
    private let partitions: Int
    private let threads: Int
    private let copies: Int
    private let rounds: Int
    private let asJSON: Bool

    /// Reads the arguments; what is wrong with them is said before any file is looked at.
    init(_ arguments: ParsedArguments) throws(BenchStatus) {
        self.arguments = arguments
        cohorts = arguments.values("--cohorts")
        config = arguments.value("--config")
        data = arguments.value("--data")
        partitions = try arguments.number("--partitions", 8, in: 1...10_000)
        threads = try arguments.number("--threads", ProcessorCore.count, in: 1...256)
        copies = try arguments.number("--copies", 6, in: 1...RestoreEvents.copiesMax)
        rounds = try arguments.number("--rounds", 3, in: 1...1000)
        asJSON = try arguments.asksForJSON()
        if (data == nil) == (arguments.value("--events") == nil) {
            throw arguments.usage("either --events or --data is needed")
        }
    }

    func run() throws(BenchStatus) {
        let definitions = try BenchInput.definitions(cohorts, skipping: false)
        let replay = try BenchInput.settings(config)
        let plan = PlanCompiler.compile(
            definitions,
            PlanSettings(
                for: definitions,
                inactiveEvents: replay.inactiveEvents,
                defaultZone: replay.timezone
            )
        )
        let output: String
        do {
            if let data {
                output = try measure(data, plan, replay)
            } else {
                output = try makeAndMeasure(plan, replay)
            }
        } catch let status as BenchStatus {
            throw status
        } catch {
            printError("cohort-bench restore: \(KafkaFailure.text(error))")
            throw .outputFailed
        }
        try printOutput(output)
    }

    /// Writes the state of many users, and lets processes of their own read it.
    private func makeAndMeasure(_ plan: Plan, _ replay: ReplayConfiguration) throws -> String {
        let file: EventFile
        do throws(InputError) {
            file = try EventFile(path: arguments.value("--events") ?? "")
        } catch {
            printError("cohort-bench: \(error.description)")
            throw BenchStatus.inputMissing
        }
        let folder = try ScratchFolder(
            named: "cohort-bench",
            in: arguments.value("--data-in") ?? "/tmp"
        )
        defer { folder.remove() }
        let users = StoredUsers(plan: plan, replay: replay, directory: folder.path)
        try write(users, file)
        var report = RestoreReport(threads: threads, partitions: partitions)
        for _ in 0..<rounds {
            let words =
                [
                    "restore", "--data", folder.path, "--partitions", "\(partitions)",
                    "--threads", "\(threads)", "--output", "json", "--cohorts",
                ] + cohorts + (config.map { ["--config", $0] } ?? [])
            let child = try ChildProgram(ChildProgram.itself, words, core: nil)
            report.add(try child.rest())
        }
        return asJSON ? report.json : report.text
    }

    private func write(
        _ users: StoredUsers,
        _ file: borrowing EventFile
    ) throws(DaemonError) {
        try users.write(partitions: partitions) { take in
            var events = RestoreEvents(copies: copies)
            file.forEachLine { events.forEachCopy(of: $0, take) }
        }
    }

    /// Opens what is there, once.
    private func measure(
        _ folder: String,
        _ plan: Plan,
        _ replay: ReplayConfiguration
    ) throws -> String {
        var report = RestoreReport(threads: threads, partitions: partitions)
        var round = RestoreReport.Round()
        // Reads every file once, so the system has them in memory; the second time counts.
        _ = try Self.read(folder, partitions)
        let began = Meter.wall()
        round.bytes = try Self.read(folder, partitions)
        round.readSeconds = Meter.wall() - began
        let start = Meter.read()
        var ready = start
        var ticked = start
        let found = try StoredUsers(plan: plan, replay: replay, directory: folder).open(
            partitions: partitions,
            threads: threads,
            opened: { ready = Meter.read() },
            ticked: { ticked = Meter.read() }
        )
        guard found.rewritten == 0 else {
            throw KafkaPublisher.Failure(text: "the state in \(folder) is of other cohorts")
        }
        round.users = found.users
        round.seconds = ready.wallSeconds - start.wallSeconds
        round.cpuSeconds = ready.cpuSeconds - start.cpuSeconds
        round.tickSeconds = ticked.wallSeconds - ready.wallSeconds
        report.rounds.append(round)
        return asJSON ? report.json : report.text
    }

    /// Reads the logs of all partitions as `cat` would; how many bytes that were.
    private static func read(_ folder: String, _ partitions: Int) throws -> Int {
        var bytes = 0
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
        defer { buffer.deallocate() }
        for partition in 0..<partitions {
            let path = "\(folder)/\(partition)"
            guard let directory = opendir(path) else {
                throw KafkaPublisher.Failure(text: "\(path): \(SystemError.text(errno))")
            }
            defer { closedir(directory) }
            while let entry = readdir(directory) {
                let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
                }
                let descriptor = Glibc.open("\(path)/\(name)", O_RDONLY | O_CLOEXEC)
                if descriptor < 0 { continue }
                defer { close(descriptor) }
                while true {
                    let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
                    if count <= 0 { break }
                    bytes += count
                }
            }
        }
        return bytes
    }
}

/// Events of more users than a file has: every event once for each copy of its user.
struct RestoreEvents {
    /// As many letters there are for the first byte of an id.
    static let copiesMax = 52

    private static let names: [[UInt8]] = ["user_id", "device_id", "insert_id"].map {
        Array("\"\($0)\":\"".utf8)
    }

    private let copies: Int
    private var line: [UInt8] = []

    init(copies: Int) {
        self.copies = copies
    }

    /// Calls `body` with the event of each copy: the first byte of each of its ids is another.
    mutating func forEachCopy(of view: ByteView, _ body: (ByteView) -> Void) {
        line.removeAll(keepingCapacity: true)
        line.append(contentsOf: view.buffer)
        let places = Self.names.compactMap { place(behind: $0) }
        for copy in 0..<copies {
            let letter = UInt8(copy < 26 ? 65 + copy : 97 + copy - 26)
            for place in places { line[place] = letter }
            line.withByteView { body($0) }
        }
    }

    private func place(behind name: [UInt8]) -> Int? {
        line.withUnsafeBytes { bytes in
            var start = 0
            while start + name.count < bytes.count {
                if bytes[start] == name[0],
                    bytes[start..<start + name.count].elementsEqual(name)
                {
                    let place = start + name.count
                    // An empty id stays empty.
                    return bytes[place] == UInt8(ascii: "\"") ? nil : place
                }
                start += 1
            }
            return nil
        }
    }
}
