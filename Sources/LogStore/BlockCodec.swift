import Basics
import CLZ4

/// Raw bytes of records to the payload of a block and back.
///
/// Payload: raw length (4), checksum of the raw bytes (4), then the bytes as they are or as an LZ4 block.
struct BlockCodec {
    static let prefixSize = 8
    /// The longest raw block a reader accepts.
    static let rawMax = 4 << 20
    /// LZ4 cannot shorten by more, so a larger ratio is not ours.
    static let ratioMax = 255

    static let stored: UInt8 = 0
    static let lz4: UInt8 = 1

    private var scratch: [UInt8] = []

    /// The payload for `raw` and its codec; the view is valid for the call of `body`.
    mutating func encode(_ raw: ByteView, _ body: (_ codec: UInt8, _ payload: ByteView) -> Void) {
        precondition(raw.count <= Self.rawMax, "a block of \(raw.count) bytes")
        let needed = Self.prefixSize + max(raw.count, Int(LZ4_compressBound(Int32(raw.count))))
        if scratch.count < needed {
            scratch.append(contentsOf: repeatElement(0, count: needed - scratch.count))
        }
        scratch.withUnsafeMutableBytes { buffer in
            buffer.storeBytes(of: UInt32(raw.count).littleEndian, toByteOffset: 0, as: UInt32.self)
            buffer.storeBytes(
                of: CRC32C.checksum(raw).littleEndian,
                toByteOffset: 4,
                as: UInt32.self
            )
            let target = UnsafeMutableRawBufferPointer(rebasing: buffer[Self.prefixSize...])
            var codec = Self.lz4
            var count = Int(
                LZ4_compress_default(
                    UnsafeRawPointer(raw.base).assumingMemoryBound(to: CChar.self),
                    target.baseAddress?.assumingMemoryBound(to: CChar.self),
                    Int32(raw.count),
                    Int32(target.count)
                )
            )
            if count <= 0 || count * 100 > raw.count * 95 {
                codec = Self.stored
                count = raw.count
                target.copyMemory(from: raw.buffer)
            }
            body(
                codec,
                ByteView(UnsafeRawBufferPointer(rebasing: buffer[..<(Self.prefixSize + count)]))
            )
        }
    }

    /// Appends the raw bytes of a payload, whose own checksum was right, to `raw`.
    /// - Returns: What is wrong with it, nil when nothing is.
    static func decode(codec: UInt8, _ payload: ByteView, appendingTo raw: inout [UInt8]) -> String?
    {
        guard payload.count >= prefixSize else { return "a block without its prefix" }
        let count = Int(payload.load(UInt32.self, at: 0))
        let checksum = payload.load(UInt32.self, at: 4)
        let bytes = payload.part(from: prefixSize, count: payload.count - prefixSize)
        guard count <= rawMax, count <= bytes.count * ratioMax else {
            return "a block of \(bytes.count) bytes that claims to hold \(count)"
        }
        let start = raw.count
        switch codec {
        case stored:
            guard bytes.count == count else { return "a stored block of another length" }
            raw.append(contentsOf: bytes.buffer)
        case lz4:
            raw.append(contentsOf: repeatElement(0, count: count))
            let produced = raw.withUnsafeMutableBytes { buffer in
                LZ4_decompress_safe(
                    UnsafeRawPointer(bytes.base).assumingMemoryBound(to: CChar.self),
                    (buffer.baseAddress.map { $0 + start })?.assumingMemoryBound(to: CChar.self),
                    Int32(bytes.count),
                    Int32(count)
                )
            }
            guard Int(produced) == count else { return "a block that cannot be decompressed" }
        default:
            return "a block with the unknown codec \(codec)"
        }
        let found = raw.withByteView { view in
            CRC32C.checksum(ByteView(base: view.base + start, count: count))
        }
        return found == checksum ? nil : "a block whose content does not match its checksum"
    }
}
