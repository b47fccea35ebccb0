import Glibc

/// How many files and connections the process may have open at once.
///
/// Where they run out, libraries fail in ways that nobody can answer for, so that must not come: the API takes as
/// many connections as leave enough for the rest, and what could not work is not started.
struct OpenFileLimit {
    /// What the daemon keeps for partitions, brokers and destinations at most.
    private static let ownMax = 256
    /// More than this is not asked for.
    private static let most = 65_536
    /// With fewer nothing works; an idle daemon on two cores has 24 open.
    private static let least = 64
    /// Files that a snapshot, a request or a look at the configuration opens for a moment.
    private static let spare = 6

    /// How many files may be open.
    let files: Int

    private static var resource: __rlimit_resource_t {
        __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    }

    /// A limit of so many files.
    init(files: Int) {
        self.files = files
    }

    /// Raises the limit as far as the system lets everybody.
    ///
    /// - Returns: The limit from now on.
    /// - Throws: A `DaemonError` where nothing could run with it.
    static func raised() throws(DaemonError) -> OpenFileLimit {
        var limit = rlimit()
        // Where the system does not say, it is not what ends this.
        guard getrlimit(resource, &limit) == 0 else { return OpenFileLimit(files: most) }
        var files = limit.rlim_cur
        let wanted = min(limit.rlim_max, rlim_t(most))
        if files < wanted {
            limit.rlim_cur = wanted
            // Where a sandbox forbids it, what there is must do.
            if setrlimit(resource, &limit) == 0 { files = wanted }
        }
        if files < least {
            throw DaemonError(
                status: DaemonError.Status.configuration,
                "only \(files) files may be open, and \(least) are the least: \(remedy)"
            )
        }
        return OpenFileLimit(files: Int(clamping: files))
    }

    /// What an operator does.
    static let remedy = "raise LimitNOFILE of the unit, or ulimit -n"

    /// How many connections the API may take: those wanted, or what is left.
    func connections(wanted: Int) -> Int {
        min(wanted, max(8, files - min(Self.ownMax, files / 4 * 3)))
    }

    /// Whether what is open after the start leaves room for so many connections, and some more.
    ///
    /// - Parameters:
    ///   - used: How many files are open.
    ///   - connections: How many the API may open.
    /// - Throws: A `DaemonError` where it does not.
    func check(used: Int, connections: Int) throws(DaemonError) {
        if used + connections + Self.spare <= files { return }
        throw DaemonError(
            status: DaemonError.Status.configuration,
            "with all partitions \(used) files are open, the API takes up to \(connections) connections"
                + " besides, and only \(files) files may be open: \(Self.remedy)"
        )
    }

    /// How many files are open now; 0 where the system does not say.
    static var used: Int {
        guard let folder = opendir("/proc/self/fd") else { return 0 }
        defer { closedir(folder) }
        // `.`, `..` and the folder itself are none.
        var count = -3
        while readdir(folder) != nil { count += 1 }
        return max(0, count)
    }
}
