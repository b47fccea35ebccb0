package import Basics

/// What a log hands over when it is opened, in the order in which it was written.
package enum LogEntry {
    /// A committed record; the payload is valid for the call only.
    case record(type: UInt8, payload: ByteView)
    /// The end of a group and its cut.
    case group(cut: ByteView)
}

/// Why whoever reads the records cannot use one.
package struct RecordRefused: Error, Equatable, Sendable {
    /// What is wrong with it.
    package let what: String

    /// A refusal with its reason.
    package init(_ what: String) {
        self.what = what
    }
}

/// Hands over the records of the groups that a scan found whole.
struct LogReplayer<Files: FileSystem>: ~Copyable {
    private var window: FileWindow<Files>
    private let salt: UInt32
    private let path: String
    private var raw: [UInt8] = []
    private var position = Int64(FileHeader.size)
    private var recordsOfGroup: UInt64 = 0
    private(set) var records: UInt64 = 0
    private(set) var groups: UInt64 = 0
    private(set) var payloadBytes: Int64 = 0
    private(set) var cut: [UInt8]?

    init(_ window: consuming FileWindow<Files>, salt: UInt32, path: String) {
        self.window = window
        self.salt = salt
        self.path = path
    }

    mutating func replay(
        to end: Int64,
        _ visit: (LogEntry) throws(RecordRefused) -> Void
    ) throws(StoreError) {
        while position < end {
            guard let head = try window.bytes(at: position, count: Frame.headerSize),
                let frame = Frame.decode(head, salt: salt),
                let payload = try window.bytes(
                    at: position + Int64(Frame.headerSize),
                    count: frame.length
                ),
                CRC32C.checksum(payload, continuing: salt) == frame.payloadChecksum
            else { throw damaged("it changed while it was read") }
            switch frame.type {
            case Frame.commit: try endGroup(payload, visit)
            case Frame.part: try decode(frame, payload)
            case Frame.block:
                try decode(frame, payload)
                try handOver(visit)
            default: break
            }
            position += Int64(Frame.headerSize + frame.length)
        }
    }

    private mutating func decode(_ frame: Frame, _ payload: ByteView) throws(StoreError) {
        if let what = BlockCodec.decode(codec: frame.codec, payload, appendingTo: &raw) {
            throw damaged(what)
        }
    }

    private mutating func handOver(
        _ visit: (LogEntry) throws(RecordRefused) -> Void
    ) throws(StoreError) {
        var seen: UInt64 = 0
        var bytes: Int64 = 0
        let problem = raw.withByteView { view -> String? in
            var offset = 0
            while offset < view.count {
                guard view.count - offset >= RecordPrefix.size else {
                    return "a record that is cut off"
                }
                let count = Int(view.load(UInt32.self, at: offset))
                let type = view[offset + 4]
                offset += RecordPrefix.size
                guard view.count - offset >= count else { return "a record that is cut off" }
                do throws(RecordRefused) {
                    try visit(.record(type: type, payload: view.part(from: offset, count: count)))
                } catch {
                    return "a record of type \(type) cannot be used: \(error.what)"
                }
                offset += count
                seen += 1
                bytes += Int64(count)
            }
            return nil
        }
        if let problem { throw damaged(problem) }
        raw.removeAll(keepingCapacity: true)
        recordsOfGroup += seen
        payloadBytes += bytes
    }

    private mutating func endGroup(
        _ payload: ByteView,
        _ visit: (LogEntry) throws(RecordRefused) -> Void
    ) throws(StoreError) {
        guard let (commit, cut) = CommitPayload.decode(payload) else { throw damaged("a COMMIT") }
        guard raw.isEmpty else { throw damaged("a record of which the end is missing") }
        guard commit.records == recordsOfGroup else {
            throw damaged(
                "a group of \(recordsOfGroup) records whose COMMIT counts \(commit.records)"
            )
        }
        do {
            try visit(.group(cut: cut))
        } catch {
            throw damaged("the cut of group \(commit.group) cannot be used: \(error.what)")
        }
        records += recordsOfGroup
        groups += 1
        recordsOfGroup = 0
        self.cut = cut.array
    }

    private func damaged(_ what: String) -> StoreError {
        .damaged(StoreDamage(file: path, offset: position, what: what))
    }
}

/// What stands before each record in a block: the payload's length (4) and the record's type (1).
enum RecordPrefix {
    static let size = 5
}
