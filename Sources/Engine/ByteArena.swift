import Basics

/// Bytes that are stored once and stay where they are.
struct ByteArena: ~Copyable {
    /// Where bytes are stored, in units of 4 bytes.
    typealias Handle = UInt32

    private static let chunkBytes = 1 << 20
    private var chunks: [UnsafeMutablePointer<UInt8>] = []
    private var regions = ChunkRegions<UInt8>(chunkCount: ByteArena.chunkBytes)
    private var cursor = ByteArena.chunkBytes

    init() {}

    /// Bytes taken from the system.
    var bytesReserved: Int { regions.bytesReserved }

    /// Copies the bytes, at most 1 MiB.
    mutating func store(_ bytes: ByteView) -> Handle {
        let rounded = (max(1, bytes.count) + 3) & ~3
        precondition(rounded <= Self.chunkBytes, "\(bytes.count) bytes in one piece")
        if cursor + rounded > Self.chunkBytes {
            chunks.append(regions.next())
            cursor = 0
        }
        let index = ((chunks.count - 1) * Self.chunkBytes + cursor) >> 2
        precondition(index <= Int(Handle.max), "user ids beyond 16 GiB in one shard")
        (chunks[chunks.count - 1] + cursor).update(from: bytes.base, count: bytes.count)
        cursor += rounded
        return Handle(index)
    }

    /// The bytes stored under a handle.
    func pointer(_ handle: Handle) -> UnsafePointer<UInt8> {
        let index = Int(handle) << 2
        return UnsafePointer(chunks[index >> 20] + (index & (Self.chunkBytes - 1)))
    }
}
