package import Configuration
import Glibc

/// The secrets of all destinations: fetched once, and again when the file that holds one has changed.
///
/// Files are looked at each minute and, asked for at once, after a partner has refused a credential. A file
/// that is gone or cannot be read leaves the old secret in place. Every secret that was ever fetched is known to
/// the redactor. A value: one thread owns it.
package struct SecretStore: Sendable {
    /// How often files are looked at, in milliseconds.
    package static let intervalMilliseconds: Int64 = 60_000

    /// What a look at the files found.
    package struct Look: Sendable, Equatable {
        /// Who has another secret than before, by bytes: to be connected anew.
        package var changedOwners: [String] = []
        /// Why secrets cannot be read that could the last time; the old ones go on.
        ///
        /// Each is said once until it can be read again.
        package var problems: [SecretError] = []

        /// Nothing found.
        package init() {}
    }

    /// What tells a file from another or from what it was.
    private struct FileIdentity: Equatable {
        var inode: UInt64
        var size: Int64
        var modifiedSeconds: Int
        var modifiedNanoseconds: Int

        /// Nil where there is no file.
        init?(path: String) {
            var status = stat()
            guard stat(path, &status) == 0 else { return nil }
            inode = UInt64(status.st_ino)
            size = Int64(status.st_size)
            modifiedSeconds = status.st_mtim.tv_sec
            modifiedNanoseconds = status.st_mtim.tv_nsec
        }
    }

    private struct Entry {
        var secret: SecretText
        var identity: FileIdentity?
        var owners: Set<String>
        var isUnreadable = false
    }

    private let surroundings: SecretSurroundings
    private let redactor: Redactor
    private var entries: [ReferencedText: Entry] = [:]
    private var lookedAt: Int64?

    /// A store without secrets; what it fetches becomes known to `redactor`.
    package init(surroundings: SecretSurroundings, redactor: Redactor) {
        self.surroundings = surroundings
        self.redactor = redactor
    }

    /// The text that a value of the configuration stands for, as of the last look.
    ///
    /// - Parameters:
    ///   - text: Plain, or a reference.
    ///   - owner: Who uses it: the id of a destination.
    /// - Returns: The text itself.
    /// - Throws: `SecretError` where it was not known and cannot be fetched.
    package mutating func secret(
        _ text: ReferencedText,
        of owner: String
    ) throws(SecretError) -> SecretText {
        if case .plain(let value) = text { return SecretText(value) }
        if let known = entries[text]?.secret {
            entries[text]?.owners.insert(owner)
            return known
        }
        // Taken before the file is read, so that a change between the two shows at the next look.
        let identity = identity(of: text)
        let secret = try text.resolved(in: surroundings)
        redactor.learn(secret)
        entries[text] = Entry(secret: secret, identity: identity, owners: [owner])
        return secret
    }

    /// Reads the files again that have changed.
    ///
    /// - Parameters:
    ///   - now: Monotonic, in milliseconds. Nothing is looked at within a minute of the last look.
    ///   - isUrgent: Look whenever that was: a partner has refused a credential.
    /// - Returns: Who is concerned, and what cannot be read.
    package mutating func look(now: Int64, isUrgent: Bool = false) -> Look {
        if !isUrgent, let lookedAt, now - lookedAt < Self.intervalMilliseconds { return Look() }
        lookedAt = now
        var changed: Set<String> = []
        var look = Look()
        for (reference, entry) in entries.sorted(by: { $0.key.written < $1.key.written }) {
            guard path(of: reference) != nil else { continue }
            let identity = identity(of: reference)
            if identity != nil, identity == entry.identity, !entry.isUnreadable { continue }
            do throws(SecretError) {
                let secret = try reference.resolved(in: surroundings)
                redactor.learn(secret)
                if secret != entry.secret { changed.formUnion(entry.owners) }
                entries[reference]?.secret = secret
                entries[reference]?.identity = identity
                entries[reference]?.isUnreadable = false
            } catch {
                if !entry.isUnreadable { look.problems.append(error) }
                entries[reference]?.isUnreadable = true
            }
        }
        look.changedOwners = changed.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        return look
    }

    private func identity(of reference: ReferencedText) -> FileIdentity? {
        path(of: reference).flatMap { FileIdentity(path: $0) }
    }

    /// The file of a reference; nil where it is none.
    private func path(of reference: ReferencedText) -> String? {
        switch reference {
        case .file(let path): path
        case .credential(let name): surroundings.credentialsDirectory.map { "\($0)/\(name)" }
        case .plain, .environment: nil
        }
    }
}
