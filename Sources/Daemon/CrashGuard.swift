import Basics
import Glibc
import InputFiles
import LogStore
import Telemetry

/// Finds out at the start which records the last run had in hand when it ended, and lets this run note its own.
///
/// Nothing about it keeps a daemon from starting: without its files a record that kills the process goes on killing it.
struct CrashGuard {
    private static let accountName = "crashes"
    private static let handsName = "in-hand"

    /// What is suspected, and set aside.
    let account: CrashAccount
    /// One for each engine thread.
    let hands: [Hand]

    /// Counts the end of the last run, and begins to note those of this one.
    ///
    /// - Parameters:
    ///   - files: Those of the data directory.
    ///   - threads: How many engine threads.
    ///   - topic: That of the events.
    ///   - commandsTopic: That of the commands.
    ///   - logger: Told of suspects, and of what cannot be noted.
    init(
        _ files: SmallFiles<DiskFileSystem>,
        threads: Int,
        topic: String,
        commandsTopic: String,
        logger: Logger
    ) {
        var account = Self.account(files, logger)
        let ended = Self.bytes(files, Self.handsName, logger).flatMap { HandFile.read($0) }
        if let ended {
            let inHand = ended.records.map {
                CrashAccount.Record(
                    topic: $0.isCommand ? commandsTopic : topic,
                    partition: $0.partition,
                    offset: $0.offset
                )
            }
            let before = account
            let suspects = account.count(inHand, run: ended.run)
            if account != before { Self.keep(account, files, logger) }
            for (record, count) in suspects { Self.say(record, count, logger) }
        }
        self.account = account
        do throws(HandFileError) {
            hands = try HandFile(
                path: "\(files.path)/\(Self.handsName)",
                run: (ended?.run ?? 0) &+ 1,
                count: threads
            ).hands
        } catch {
            Self.warn(error.text, logger)
            hands = (0..<threads).map { _ in Hand() }
        }
    }

    private static func account(
        _ files: SmallFiles<DiskFileSystem>,
        _ logger: Logger
    ) -> CrashAccount {
        guard let bytes = bytes(files, accountName, logger) else { return CrashAccount() }
        if let account = CrashAccount(text: String(decoding: bytes, as: UTF8.self)) {
            return account
        }
        warn("\(files.path)/\(accountName) is damaged, and written anew", logger)
        return CrashAccount()
    }

    private static func bytes(
        _ files: SmallFiles<DiskFileSystem>,
        _ name: String,
        _ logger: Logger
    ) -> [UInt8]? {
        let path = "\(files.path)/\(name)"
        guard access(path, F_OK) == 0 else { return nil }
        do throws(InputError) {
            return try InputFiles.read(path)
        } catch {
            warn(error.description, logger)
            return nil
        }
    }

    private static func keep(
        _ account: CrashAccount,
        _ files: SmallFiles<DiskFileSystem>,
        _ logger: Logger
    ) {
        do throws(StoreError) {
            try files.writeAtomically(accountName, Array(account.text.utf8))
        } catch {
            warn(DaemonError(error).text, logger)
        }
    }

    private static func say(_ record: CrashAccount.Record, _ count: Int, _ logger: Logger) {
        let fields: KeyValuePairs<String, LogValue> = [
            "topic": LogValue(record.topic), "partition": LogValue(record.partition),
            "offset": LogValue(record.offset), "times": LogValue(count),
        ]
        if count < CrashAccount.limit {
            logger.warning(
                "crash_suspected",
                "the process ended while it applied a record; after \(CrashAccount.limit) times in a row the record"
                    + " is set aside",
                fields
            )
        } else {
            logger.warning(
                "crash_set_aside",
                "a record ended the process \(CrashAccount.limit) times and is set aside: it is rejected as crash."
                    + " Please report it, with the record",
                fields
            )
        }
    }

    private static func warn(_ text: String, _ logger: Logger) {
        logger.warning(
            "crash_guard",
            "\(text); a record that ends the process may not be found, and goes on doing so"
        )
    }
}
