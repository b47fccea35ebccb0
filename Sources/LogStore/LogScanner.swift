import Basics

/// Where the valid part of a log file ends, found without decompressing or changing anything.
struct ScanResult: Equatable {
    /// The end of the last valid COMMIT, or of the header.
    var end: Int64
    /// The sequence of the last committed group.
    var group: UInt64
    /// The chain at `end`.
    var chain: UInt64
    /// Why the scan went no further; nil when the file ends at `end`.
    var stop: (offset: Int64, why: String)?
    /// Whether the manifest's base was passed as the manifest says.
    var passedBase: Bool

    static func == (left: ScanResult, right: ScanResult) -> Bool {
        left.end == right.end && left.group == right.group && left.chain == right.chain
            && left.passedBase == right.passedBase && left.stop?.offset == right.stop?.offset
    }
}

/// Checks the frames of a log file in order: lengths, checksums, sequences, chain.
struct LogScanner<Files: FileSystem>: ~Copyable {
    private var window: FileWindow<Files>
    private let header: FileHeader
    private let salt: UInt32
    private let path: String

    init(_ window: consuming FileWindow<Files>, header: FileHeader, path: String) {
        self.window = window
        self.header = header
        salt = header.salt
        self.path = path
    }

    /// Scans to the first frame that is not valid, or to the end.
    mutating func scan(base: Manifest) throws(StoreError) -> ScanResult {
        let start = header.encoded.withByteView { Hashing.hash64($0) }
        var result = ScanResult(
            end: Int64(FileHeader.size),
            group: header.firstGroup &- 1,
            chain: start,
            stop: nil,
            passedBase: false
        )
        result.passedBase = Self.isBase(result, base)
        var position = result.end
        var chain = start
        var index: UInt64 = 0
        while true {
            guard let head = try window.bytes(at: position, count: Frame.headerSize) else {
                if window.fileSize > result.end {
                    result.stop = (position, "the file ends within a group")
                }
                return result
            }
            guard let frame = Frame.decode(head, salt: salt) else {
                result.stop = (position, "there is no valid frame")
                return result
            }
            guard frame.group == result.group &+ 1, frame.index == index else {
                result.stop = (
                    position,
                    "frame \(frame.index) of group \(frame.group) stands where frame "
                        + "\(index) of group \(result.group &+ 1) belongs"
                )
                return result
            }
            let size = Frame.headerSize + frame.length
            guard let whole = try window.bytes(at: position, count: size) else {
                result.stop = (position, "the file ends within a frame")
                return result
            }
            let payload = whole.part(from: Frame.headerSize, count: frame.length)
            guard CRC32C.checksum(payload, continuing: salt) == frame.payloadChecksum else {
                result.stop = (position, "the checksum of a frame's payload is wrong")
                return result
            }
            if frame.type == Frame.commit {
                guard let (commit, _) = CommitPayload.decode(payload),
                    commit.group == frame.group, commit.chain == chain
                else {
                    result.stop = (position, "the COMMIT does not fit the group before it")
                    return result
                }
            } else if frame.type != Frame.block, frame.type != Frame.part,
                frame.type < Frame.firstSkippable
            {
                throw .unsupported(
                    path: path,
                    what: "a frame of type \(frame.type) at byte \(position)"
                )
            }
            chain = Hashing.hash64(whole, seed: chain)
            position += Int64(size)
            index += 1
            if frame.type == Frame.commit {
                result.end = position
                result.group = frame.group
                result.chain = chain
                result.passedBase = result.passedBase || Self.isBase(result, base)
                index = 0
            }
        }
    }

    /// The first frame header behind `offset` that a group from `group` on wrote, if there is one.
    mutating func evidence(after offset: Int64, ofGroup group: UInt64) throws(StoreError) -> Int64?
    {
        var position = offset
        while let head = try window.bytes(at: position, count: Frame.headerSize) {
            if head[0] == UInt8(Frame.magic & 0xff), let frame = Frame.decode(head, salt: salt),
                frame.group >= group
            {
                return position
            }
            position += 1
        }
        return nil
    }

    private static func isBase(_ result: ScanResult, _ base: Manifest) -> Bool {
        UInt64(result.end) == base.baseLength && result.group == base.baseGroup
            && result.chain == base.baseChain
    }
}
