import Daemon

/// The configuration of a latency run, in a folder of its own that goes with it.
struct LatencyFolder {
    static let partitionCount = 8
    /// The distance of ticks, in milliseconds.
    static let tickMilliseconds = 1000

    private let folder: ScratchFolder

    var configurationPath: String { folder.path + "/cohortd.yaml" }

    init(broker: String, receiver: String, secret: String) throws(ScratchFolder.Failure) {
        folder = try ScratchFolder(
            named: "cohort-bench",
            in: "/tmp",
            folders: ["cohorts", "destinations", "syncs"]
        )
        let path = folder.path
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
        for (name, text) in files { try folder.write(name, text) }
    }

    /// Removes the folder with everything in it.
    func remove() {
        folder.remove()
    }
}
