import Basics

/// The header of one frame of a log file.
///
/// docs/formats.md has the bytes.
struct Frame: Equatable {
    static let headerSize = 24
    static let magic: UInt16 = 0xc0d5
    /// Bits of the place that hold the index in the group.
    static let indexBits: UInt64 = 24
    /// The longest payload a frame may have: raw bytes that LZ4 could not shorten, and their prefix.
    static let payloadMax = BlockCodec.rawMax + BlockCodec.prefixSize

    // stored: do not renumber
    static let block: UInt8 = 1
    static let part: UInt8 = 2
    static let commit: UInt8 = 3
    /// From here on, types that this version does not know are skipped.
    static let firstSkippable: UInt8 = 128

    var type: UInt8
    var codec: UInt8
    var length: Int
    var group: UInt64
    var index: UInt64
    var payloadChecksum: UInt32

    /// Appends header and payload.
    static func write(
        type: UInt8,
        codec: UInt8,
        group: UInt64,
        index: UInt64,
        salt: UInt32,
        payload: ByteView,
        to writer: inout ByteWriter
    ) {
        precondition(index < 1 << indexBits, "frame \(index) of one group")
        precondition(group < 1 << (64 - indexBits), "group \(group)")
        let start = writer.count
        writer.write(magic)
        writer.write(type)
        writer.write(codec)
        writer.write(UInt32(payload.count))
        writer.write(group << indexBits | index)
        writer.write(CRC32C.checksum(payload, continuing: salt))
        let checksum = writer.bytes.withByteView { view in
            CRC32C.checksum(ByteView(base: view.base + start, count: 20), continuing: salt)
        }
        writer.write(checksum)
        writer.write(raw: payload)
    }

    /// The header in the first 24 bytes of `bytes`, nil when its magic, checksum or length is wrong.
    static func decode(_ bytes: ByteView, salt: UInt32) -> Frame? {
        guard bytes.count >= headerSize else { return nil }
        guard bytes.load(UInt16.self, at: 0) == magic,
            bytes.load(UInt32.self, at: 20)
                == CRC32C.checksum(bytes.part(from: 0, count: 20), continuing: salt)
        else { return nil }
        let length = Int(bytes.load(UInt32.self, at: 4))
        guard length <= payloadMax else { return nil }
        let place = bytes.load(UInt64.self, at: 8)
        return Frame(
            type: bytes[2],
            codec: bytes[3],
            length: length,
            group: place >> indexBits,
            index: place & (1 << indexBits - 1),
            payloadChecksum: bytes.load(UInt32.self, at: 16)
        )
    }
}

/// The payload of the frame that ends a group.
struct CommitPayload {
    static let fixedSize = 32
    static let cutMax = 256

    var group: UInt64
    var records: UInt64
    var chain: UInt64

    func encoded(cut: ByteView) -> [UInt8] {
        precondition(cut.count <= Self.cutMax, "a cut of \(cut.count) bytes")
        var writer = ByteWriter(capacity: Self.fixedSize + cut.count)
        writer.write(group)
        writer.write(records)
        writer.write(chain)
        writer.write(UInt16(cut.count))
        writer.write(UInt16(0))
        writer.write(UInt32(0))
        writer.write(raw: cut)
        return writer.bytes
    }

    /// Nil when the lengths do not fit.
    static func decode(_ bytes: ByteView) -> (commit: CommitPayload, cut: ByteView)? {
        var reader = ByteReader(bytes)
        do {
            let commit = CommitPayload(
                group: try reader.read(),
                records: try reader.read(),
                chain: try reader.read()
            )
            let count: UInt16 = try reader.read()
            _ = try reader.read(count: 6)
            guard count <= cutMax, reader.remaining == Int(count) else { return nil }
            return (commit, try reader.read(count: Int(count)))
        } catch {
            return nil
        }
    }
}
