import Basics

/// Builds the groups of one log file and writes them behind the last committed one.
///
/// Records are collected into blocks, blocks are compressed into a buffer, and the buffer goes to the file
/// when it is full or the group ends. Nothing of a group counts before its COMMIT is written and synced, so
/// after any error the next group begins at the same place.
struct LogWriter {
    /// Raw bytes of an ordinary block, at most.
    static let blockMax = 64 << 10
    /// Raw bytes of one part of a record that does not fit an ordinary block.
    static let partMax = 1 << 20
    /// Bytes that are collected before they are written.
    private static let bufferMax = 1 << 20

    let handle: OpenFile
    private let salt: UInt32
    private var codec = BlockCodec()
    private var block: [UInt8] = []
    private var buffer = ByteWriter()
    /// Where the buffer belongs in the file.
    private var position: Int64
    private var chain: UInt64
    private var index: UInt64 = 0
    private var records: UInt64 = 0
    private var payloadBytes: Int64 = 0
    private var failure: FileError?

    /// The end of the last group that is durable.
    private(set) var committedEnd: Int64
    private(set) var committedGroup: UInt64
    private(set) var committedChain: UInt64
    /// Payload bytes of all committed records in the file.
    private(set) var committedPayloadBytes: Int64

    init(
        _ handle: OpenFile,
        salt: UInt32,
        end: Int64,
        group: UInt64,
        chain: UInt64,
        payloadBytes: Int64
    ) {
        self.handle = handle
        self.salt = salt
        position = end
        committedEnd = end
        committedGroup = group
        committedChain = chain
        committedPayloadBytes = payloadBytes
        self.chain = chain
        block.reserveCapacity(Self.blockMax)
    }

    /// Whether nothing was added since the last commit.
    var isEmpty: Bool { records == 0 }

    /// Adds a record to the open group.
    ///
    /// A write that fails shows at ``finishGroup(cut:files:)``.
    mutating func append(type: UInt8, payload: ByteView, files: some FileSystem) {
        precondition(payload.count <= Int32.max, "a record of \(payload.count) bytes")
        if failure != nil { return }
        if !block.isEmpty, block.count + RecordPrefix.size + payload.count > Self.blockMax {
            sealBlock(files)
        }
        withUnsafeBytes(of: UInt32(payload.count).littleEndian) { block.append(contentsOf: $0) }
        block.append(type)
        block.append(contentsOf: payload.buffer)
        records += 1
        payloadBytes += Int64(payload.count)
        if block.count > Self.blockMax { sealBlock(files) }
    }

    /// Writes the rest of the group and its COMMIT; syncing is the caller's.
    mutating func finishGroup(cut: ByteView, files: some FileSystem) throws(FileError) {
        if !block.isEmpty { sealBlock(files) }
        if let failure { throw failure }
        let commit = CommitPayload(group: committedGroup + 1, records: records, chain: chain)
        commit.encoded(cut: cut).withByteView { payload in
            add(type: Frame.commit, codec: BlockCodec.stored, payload)
        }
        flush(files)
        if let failure { throw failure }
    }

    /// Takes the finished group for durable.
    mutating func groupIsDurable() {
        committedEnd = position
        committedGroup += 1
        committedChain = chain
        committedPayloadBytes += payloadBytes
        startGroup()
    }

    /// Forgets the open group; what was written of it is overwritten by the next.
    mutating func discardGroup() {
        startGroup()
    }

    private mutating func startGroup() {
        block.removeAll(keepingCapacity: true)
        buffer.clear()
        position = committedEnd
        chain = committedChain
        index = 0
        records = 0
        payloadBytes = 0
        failure = nil
    }

    /// Turns the open block into frames: one, or parts and a last one for a record that is too large.
    private mutating func sealBlock(_ files: some FileSystem) {
        var start = 0
        var full: [UInt8] = []
        swap(&full, &block)
        full.withByteView { view in
            while view.count - start > Self.partMax {
                compress(view.part(from: start, count: Self.partMax), type: Frame.part)
                start += Self.partMax
                if buffer.count >= Self.bufferMax { flush(files) }
            }
            compress(view.part(from: start, count: view.count - start), type: Frame.block)
        }
        full.removeAll(keepingCapacity: full.capacity <= 2 * Self.partMax)
        swap(&full, &block)
        if buffer.count >= Self.bufferMax { flush(files) }
    }

    private mutating func compress(_ raw: ByteView, type: UInt8) {
        var codec = self.codec
        self.codec = BlockCodec()
        codec.encode(raw) { kind, payload in add(type: type, codec: kind, payload) }
        self.codec = codec
    }

    private mutating func add(type: UInt8, codec: UInt8, _ payload: ByteView) {
        let start = buffer.count
        Frame.write(
            type: type,
            codec: codec,
            group: committedGroup + 1,
            index: index,
            salt: salt,
            payload: payload,
            to: &buffer
        )
        chain = buffer.bytes.withByteView { view in
            Hashing.hash64(view.part(from: start, count: view.count - start), seed: chain)
        }
        index += 1
    }

    private mutating func flush(_ files: some FileSystem) {
        if failure != nil { return }
        do {
            try buffer.bytes.withByteView { view throws(FileError) in
                try files.write(handle, view, at: position)
            }
            position += Int64(buffer.count)
        } catch {
            failure = error
        }
        buffer.clear()
    }
}
