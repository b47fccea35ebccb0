import Basics

/// What a file of a log is.
///
/// docs/formats.md has the bytes.
enum StoredFileKind: UInt8 {
    // stored: do not renumber
    case wal = 1
    case manifest = 2
    case root = 3
    case syncedMark = 4

    var name: String {
        switch self {
        case .wal: "a log file"
        case .manifest: "a manifest"
        case .root: "a root"
        case .syncedMark: "a synced mark"
        }
    }
}

/// The first 64 bytes of every file of a log.
struct FileHeader: Equatable {
    static let size = 64
    static let magic: [UInt8] = [0x89, 0x43, 0x4f, 0x48, 0x0d, 0x0a, 0x1a, 0x0a]
    static let major: UInt8 = 1

    var kind: StoredFileKind
    var identity: LogIdentity
    var number: UInt64
    var firstGroup: UInt64 = 0

    /// Why 64 bytes are not the header that was expected.
    enum Problem: Error, Equatable {
        /// Not a header, or not as it was written.
        case unreadable(String)
        /// Written by a later major version.
        case unsupported(String)
        /// A whole header, of something else.
        case foreign(String)

        var text: String {
            switch self {
            case .unreadable(let text), .unsupported(let text), .foreign(let text): text
            }
        }
    }

    var encoded: [UInt8] {
        var writer = ByteWriter(capacity: Self.size)
        writer.write(raw: Self.magic)
        writer.write(Self.major)
        writer.write(UInt8(0))
        writer.write(kind.rawValue)
        writer.write(identity.kind.rawValue)
        writer.write(identity.partition)
        identity.store.write(to: &writer)
        writer.write(identity.nameHash)
        writer.write(number)
        writer.write(firstGroup)
        writer.write(UInt32(0))
        writer.write(writer.bytes.withByteView { CRC32C.checksum($0) })
        return writer.bytes
    }

    /// Checks 64 bytes against what must be there; `number` nil accepts any.
    static func decode(
        _ bytes: ByteView,
        kind: StoredFileKind,
        identity: LogIdentity,
        number: UInt64?
    ) throws(Problem) -> FileHeader {
        guard bytes.count >= size else { throw .unreadable("the header is cut off") }
        var body = ByteReader(ByteView(base: bytes.base, count: size))
        let found: FileHeader
        do {
            guard try body.read(count: 8).array == magic else {
                throw Problem.unreadable("it does not begin like a file of this store")
            }
            let major: UInt8 = try body.read()
            let _: UInt8 = try body.read()
            let fileKind: UInt8 = try body.read()
            let rest = try body.read(count: 49)
            let checksum: UInt32 = try body.read()
            guard CRC32C.checksum(ByteView(base: bytes.base, count: 60)) == checksum else {
                throw Problem.unreadable("the header's checksum is wrong")
            }
            guard major == Self.major else {
                throw Problem.unsupported(
                    "format version \(major), this program knows \(Self.major)"
                )
            }
            guard fileKind == kind.rawValue else {
                let name = StoredFileKind(rawValue: fileKind)?.name ?? "a file of kind \(fileKind)"
                throw Problem.foreign("it is \(name), not \(kind.name)")
            }
            var fields = ByteReader(rest)
            found = try decodeFields(&fields, kind: kind, identity: identity)
        } catch let problem as Problem {
            throw problem
        } catch {
            throw .unreadable("the header is cut off")
        }
        if let number, found.number != number {
            throw .foreign("its number is \(found.number), not \(number)")
        }
        return found
    }

    /// The fields behind the kind of file, whose checksum was right.
    private static func decodeFields(
        _ fields: inout ByteReader,
        kind: StoredFileKind,
        identity: LogIdentity
    ) throws -> FileHeader {
        let logKind: UInt8 = try fields.read()
        let partition: Int32 = try fields.read()
        let high: UInt64 = try fields.read()
        let low: UInt64 = try fields.read()
        let nameHash: UInt64 = try fields.read()
        let store = StoreID(high: high.byteSwapped, low: low.byteSwapped)
        guard store == identity.store else {
            throw Problem.foreign("it belongs to store \(store), not \(identity.store)")
        }
        guard logKind == identity.kind.rawValue else {
            throw Problem.foreign(
                "it belongs to a log of kind \(logKind), not \(identity.kind.rawValue)"
            )
        }
        guard partition == identity.partition else {
            throw Problem.foreign("it belongs to partition \(partition), not \(identity.partition)")
        }
        guard nameHash == identity.nameHash else {
            throw Problem.foreign("it belongs to another topic")
        }
        return FileHeader(
            kind: kind,
            identity: identity,
            number: try fields.read(),
            firstGroup: try fields.read()
        )
    }

    /// What the checksums of the file's frames begin with.
    var salt: UInt32 {
        var writer = ByteWriter(capacity: 24)
        identity.store.write(to: &writer)
        writer.write(number)
        return writer.bytes.withByteView { CRC32C.checksum($0) }
    }
}
