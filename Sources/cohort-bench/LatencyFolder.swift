import Daemon
import Glibc
import InputFiles

/// The configuration of a latency run, in a folder of its own that goes with it.
struct LatencyFolder {
    static let partitionCount = 8
    /// The distance of ticks, in milliseconds.
    static let tickMilliseconds = 1000

    private let path: String

    var configurationPath: String { path + "/cohortd.yaml" }

    init(broker: String, receiver: String, secret: String) throws(DaemonError) {
        var template = Array("/tmp/cohort-bench-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else {
            throw DaemonError(
                status: DaemonError.Status.dataDirectory,
                "cannot make a folder in /tmp: errno \(errno)"
            )
        }
        path = String(cString: made)
        for folder in ["cohorts", "destinations", "syncs"] { mkdir("\(path)/\(folder)", 0o700) }
        let files = [
            "secret": secret + "\n",
            "cohortd.yaml": """
            data_dir: \(path)/data
            tick: \(Self.tickMilliseconds)ms
            kafka: {properties: {bootstrap.servers: "\(broker)", session.timeout.ms: 6000}}
            http: {listen: "127.0.0.1:0"}
            """,
            "cohorts/marked.yaml": """
            id: marked
            name: Marked
            users: {performed: {event: marked, last: 1d}}
            """,
            "destinations/receiver.yaml": """
            id: receiver
            template: webhook
            settings: {url: "\(receiver)", secret: "file:\(path)/secret"}
            allow_private: [127.0.0.0/8]
            """,
            "syncs/marked.yaml": """
            {id: marked-receiver, item: {cohort: marked}, destination: receiver}
            """,
        ]
        for (name, text) in files {
            let descriptor = open("\(path)/\(name)", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
            guard descriptor >= 0, DescriptorWriter.writeAll(Array(text.utf8), to: descriptor)
            else {
                throw DaemonError(
                    status: DaemonError.Status.dataDirectory,
                    "cannot write \(path)/\(name): errno \(errno)"
                )
            }
            close(descriptor)
        }
    }

    /// Removes the folder with everything in it.
    func remove() {
        Self.removeTree(path)
    }

    private static func removeTree(_ path: String) {
        guard let directory = opendir(path) else { return }
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name == "." || name == ".." { continue }
            if unlink("\(path)/\(name)") != 0 { removeTree("\(path)/\(name)") }
        }
        closedir(directory)
        rmdir(path)
    }
}
