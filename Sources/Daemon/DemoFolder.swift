import Basics
import Glibc
import InputFiles

/// The configuration of the demo, written to a folder of its own and removed with it.
struct DemoFolder {
    private let path: String

    var configurationPath: String { path + "/cohortd.yaml" }

    init(broker: String, receiver: String, secret: String, port: UInt16) throws(DaemonError) {
        let parent = ProcessEnvironment.variable("TMPDIR") ?? "/tmp"
        var template = Array((parent + "/cohortd-demo-XXXXXX").utf8CString)
        guard let made = mkdtemp(&template) else {
            throw DaemonError(
                status: DaemonError.Status.dataDirectory,
                "cannot make a folder in \(parent): \(SystemError.text(errno))"
            )
        }
        path = String(cString: made)
        for folder in ["cohorts", "destinations", "syncs"] { mkdir("\(path)/\(folder)", 0o700) }
        try write("secret", secret + "\n")
        try write("cohortd.yaml", Self.configuration(path, broker: broker, port: port))
        try write("cohorts/demo.yaml", Self.cohorts)
        try write("destinations/receiver.yaml", Self.destination(path, url: receiver))
        try write("syncs/demo.yaml", Self.syncs)
    }

    private func write(_ name: String, _ text: String) throws(DaemonError) {
        let descriptor = open("\(path)/\(name)", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0, DescriptorWriter.writeAll(Array(text.utf8), to: descriptor) else {
            throw DaemonError(
                status: DaemonError.Status.dataDirectory,
                "cannot write \(path)/\(name): \(SystemError.text(errno))"
            )
        }
        close(descriptor)
    }

    /// Removes the folder with everything in it.
    func remove() {
        Self.removeTree(path)
    }

    private static func removeTree(_ path: String) {
        if let directory = opendir(path) {
            while let entry = readdir(directory) {
                let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
                }
                if name == "." || name == ".." { continue }
                let inner = "\(path)/\(name)"
                // A link is removed itself, never what it points to.
                if unlink(inner) != 0 { removeTree(inner) }
            }
            closedir(directory)
        }
        rmdir(path)
    }

    private static func configuration(_ path: String, broker: String, port: UInt16) -> String {
        """
        data_dir: \(path)/data
        tick: 1s
        kafka:
          properties:
            bootstrap.servers: "\(broker)"
            session.timeout.ms: 6000
        snapshot: {interval: 1s}
        http: {listen: "127.0.0.1:\(port)"}
        """
    }

    private static let cohorts = """
        id: active-now
        name: Active now
        users:
          performed: {event: "*", last: 30s}
        ---
        id: cart-abandoners
        name: Cart abandoners
        users:
          all:
            - performed: {event: add_to_cart, last: 20s, offset: 10s}
            - not: {performed: {event: purchase, last: 30s}}
        ---
        id: big-spenders
        name: Big spenders
        users:
          performed: {event: purchase, where: {price: {gte: 100}}, last: 60s, count: {gte: 2}}
        """

    private static func destination(_ path: String, url: String) -> String {
        """
        id: receiver
        template: webhook
        settings: {url: "\(url)", secret: "file:\(path)/secret"}
        allow_private: [127.0.0.0/8]
        """
    }

    private static let syncs = ["active-now", "cart-abandoners", "big-spenders"].map { cohort in
        """
        id: \(cohort)-receiver
        item: {cohort: \(cohort)}
        destination: receiver
        """
    }.joined(separator: "\n---\n")
}
