import Basics

/// A small file of fixed length: header, body, and the checksum that binds the body to its header.
enum SealedFile {
    static let manifestSize = 128
    static let syncedMarkSize = 128
    static let rootSize = 512

    static func encode(_ header: FileHeader, size: Int, body: (inout ByteWriter) -> Void) -> [UInt8]
    {
        var writer = ByteWriter(capacity: size)
        writer.write(raw: header.encoded)
        body(&writer)
        precondition(writer.count <= size - 4, "body of \(writer.count) bytes in a file of \(size)")
        writer.write(raw: [UInt8](repeating: 0, count: size - 4 - writer.count))
        writer.write(writer.bytes.withByteView { checksum($0, size: size) })
        return writer.bytes
    }

    /// Checks header and body; what it returns reads the body.
    static func decode(
        _ bytes: ByteView,
        size: Int,
        kind: StoredFileKind,
        identity: LogIdentity,
        number: UInt64?
    ) throws(FileHeader.Problem) -> (header: FileHeader, body: ByteReader) {
        guard bytes.count == size else {
            throw .unreadable("it has \(bytes.count) bytes, not \(size)")
        }
        let header = try FileHeader.decode(bytes, kind: kind, identity: identity, number: number)
        guard bytes.load(UInt32.self, at: size - 4) == checksum(bytes, size: size) else {
            throw .unreadable("the body's checksum is wrong")
        }
        let body = bytes.part(from: FileHeader.size, count: size - FileHeader.size - 4)
        return (header, ByteReader(body))
    }

    private static func checksum(_ bytes: ByteView, size: Int) -> UInt32 {
        CRC32C.checksum(
            bytes.part(from: FileHeader.size, count: size - FileHeader.size - 4),
            continuing: bytes.load(UInt32.self, at: FileHeader.size - 4)
        )
    }
}

/// Which manifest counts: the content of `ROOT-A` and `ROOT-B`.
struct Root: Equatable {
    var generation: UInt64
    var manifest: UInt64
    var manifestLength: UInt64
    var manifestChecksum: UInt32

    /// The root that names no manifest.
    static let none = Root(generation: 0, manifest: 0, manifestLength: 0, manifestChecksum: 0)

    /// The root of a generation whose manifest has these bytes.
    static func naming(_ generation: UInt64, manifest bytes: [UInt8]) -> Root {
        Root(
            generation: generation,
            manifest: generation,
            manifestLength: UInt64(bytes.count),
            manifestChecksum: bytes.withByteView { CRC32C.checksum($0) }
        )
    }

    func encoded(_ identity: LogIdentity) -> [UInt8] {
        let header = FileHeader(kind: .root, identity: identity, number: generation)
        return SealedFile.encode(header, size: SealedFile.rootSize) { writer in
            writer.write(manifest)
            writer.write(manifestLength)
            writer.write(manifestChecksum)
        }
    }

    static func decode(_ bytes: ByteView, identity: LogIdentity) throws(FileHeader.Problem) -> Root
    {
        var (header, body) = try SealedFile.decode(
            bytes,
            size: SealedFile.rootSize,
            kind: .root,
            identity: identity,
            number: nil
        )
        do {
            return Root(
                generation: header.number,
                manifest: try body.read(),
                manifestLength: try body.read(),
                manifestChecksum: try body.read()
            )
        } catch {
            throw .unreadable("the body is cut off")
        }
    }
}

/// Which log file a generation has and what of it was synced at its birth: the content of `MANIFEST-n`.
struct Manifest: Equatable {
    var number: UInt64
    var wal: UInt64
    var baseLength: UInt64
    var baseGroup: UInt64
    var baseChain: UInt64
    var released: UInt64

    func encoded(_ identity: LogIdentity) -> [UInt8] {
        let header = FileHeader(kind: .manifest, identity: identity, number: number)
        return SealedFile.encode(header, size: SealedFile.manifestSize) { writer in
            writer.write(wal)
            writer.write(baseLength)
            writer.write(baseGroup)
            writer.write(baseChain)
            writer.write(released)
        }
    }

    static func decode(
        _ bytes: ByteView,
        identity: LogIdentity,
        number: UInt64
    ) throws(FileHeader.Problem) -> Manifest {
        var (header, body) = try SealedFile.decode(
            bytes,
            size: SealedFile.manifestSize,
            kind: .manifest,
            identity: identity,
            number: number
        )
        do {
            return Manifest(
                number: header.number,
                wal: try body.read(),
                baseLength: try body.read(),
                baseGroup: try body.read(),
                baseChain: try body.read(),
                released: try body.read()
            )
        } catch {
            throw .unreadable("the body is cut off")
        }
    }
}

/// How far the log was synced at least: the content of `SYNCED`.
struct SyncedMark: Equatable {
    var wal: UInt64
    var group: UInt64
    var length: UInt64

    func encoded(_ identity: LogIdentity) -> [UInt8] {
        let header = FileHeader(kind: .syncedMark, identity: identity, number: wal)
        return SealedFile.encode(header, size: SealedFile.syncedMarkSize) { writer in
            writer.write(group)
            writer.write(length)
        }
    }

    static func decode(
        _ bytes: ByteView,
        identity: LogIdentity
    ) throws(FileHeader.Problem) -> SyncedMark {
        var (header, body) = try SealedFile.decode(
            bytes,
            size: SealedFile.syncedMarkSize,
            kind: .syncedMark,
            identity: identity,
            number: nil
        )
        do {
            return SyncedMark(wal: header.number, group: try body.read(), length: try body.read())
        } catch {
            throw .unreadable("the body is cut off")
        }
    }
}
