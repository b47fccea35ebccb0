/// The configuration of the demo, written to a folder of its own and removed with it.
struct DemoFolder {
    private let folder: ScratchFolder

    var configurationPath: String { folder.path + "/cohortd.yaml" }

    init(broker: String, receiver: String, secret: String, port: UInt16) throws(DaemonError) {
        do throws(ScratchFolder.Failure) {
            folder = try ScratchFolder(
                named: "cohortd-demo",
                in: ProcessEnvironment.variable("TMPDIR") ?? "/tmp",
                folders: ["cohorts", "destinations", "syncs"]
            )
            let path = folder.path
            try folder.write("secret", secret + "\n")
            try folder.write(
                "cohortd.yaml",
                Self.configuration(path, broker: broker, port: port)
            )
            try folder.write("cohorts/demo.yaml", Self.cohorts)
            try folder.write("destinations/receiver.yaml", Self.destination(path, url: receiver))
            try folder.write("syncs/demo.yaml", Self.syncs)
        } catch {
            throw DaemonError(status: DaemonError.Status.dataDirectory, error.description)
        }
    }

    /// Removes the folder with everything in it.
    func remove() {
        folder.remove()
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
