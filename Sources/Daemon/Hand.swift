import Basics
import Glibc
import Synchronization

/// Notes which record an engine thread has in hand, where the note outlives the process.
///
/// The words are of a file mapped into memory (``HandFile``): to note a record costs three stores, and what was stored
/// is the kernel's, so it is there after any end of the process, `kill -9` too. Not after a loss of power, which
/// no record causes.
///
/// `@unchecked Sendable`: the words are atomic, and one thread stores into them.
final class Hand: @unchecked Sendable {
    /// What is in hand.
    struct Record: Hashable {
        /// Whether it is of the commands topic, not of the events.
        var isCommand: Bool
        var partition: PartitionID
        var offset: Offset
    }

    /// How many words a hand has: a line of the cache, so that threads do not wait for each other.
    static let wordCount = 8
    private static let empty: Int64 = -1

    private let words: UnsafeMutablePointer<Atomic<Int64>>
    private let owner: AnyObject?

    /// A hand on words that `owner` keeps.
    init(_ words: UnsafeMutablePointer<Atomic<Int64>>, owner: AnyObject) {
        self.words = words
        self.owner = owner
    }

    /// A hand that nobody will look at.
    init() {
        words = .allocate(capacity: Self.wordCount)
        for index in 0..<Self.wordCount { (words + index).initialize(to: Atomic(Self.empty)) }
        owner = nil
    }

    deinit {
        if owner == nil {
            words.deinitialize(count: Self.wordCount)
            words.deallocate()
        }
    }

    /// From now on this record is in hand.
    func take(isCommand: Bool, partition: PartitionID, offset: Offset) {
        words[1].store(offset, ordering: .relaxed)
        // After the offset: half a note is none.
        words[0].store(Int64(partition) << 1 | (isCommand ? 1 : 0), ordering: .releasing)
    }

    /// Nothing is in hand any more.
    func letGo() {
        words[0].store(Self.empty, ordering: .releasing)
    }

    /// What the words of an ended process say.
    static func record(_ place: Int64, _ offset: Int64) -> Record? {
        guard place >= 0, offset >= 0, place >> 1 <= Int64(PartitionID.max) else { return nil }
        return Record(
            isCommand: place & 1 == 1,
            partition: PartitionID(place >> 1),
            offset: offset
        )
    }
}

/// The file `in-hand` of the data directory: a line of words for the file itself and one for each engine thread.
///
/// Byte table: docs/formats.md, "Records in hand".
///
/// `@unchecked Sendable`: the mapping stays where it is until the end.
final class HandFile: @unchecked Sendable {
    private static let magic: Int64 = 0x3164_6e61_682d_6e69
    private static let wordBytes = MemoryLayout<Int64>.size

    private let base: UnsafeMutableRawPointer
    private let byteCount: Int
    private let count: Int

    /// Writes the file anew and maps it.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - run: The number of this run.
    ///   - count: How many hands.
    /// - Throws: What the system refuses, as text.
    init(path: String, run: Int64, count: Int) throws(HandFileError) {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw HandFileError(path, errno) }
        defer { close(descriptor) }
        var words = [Int64](repeating: -1, count: (count + 1) * Hand.wordCount)
        words[0] = Self.magic
        words[1] = run
        words[2] = Int64(count)
        byteCount = words.count * Self.wordBytes
        // Written, not only made so long: a store into a hole of a full disk would kill the process.
        let isWritten = words.withUnsafeBytes {
            ftruncate(descriptor, 0) == 0
                && pwrite(descriptor, $0.baseAddress, $0.count, 0) == $0.count
        }
        guard isWritten else { throw HandFileError(path, errno) }
        guard
            let base = mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0),
            base != MAP_FAILED
        else { throw HandFileError(path, errno) }
        self.base = base
        self.count = count
    }

    deinit {
        munmap(base, byteCount)
    }

    /// One hand for each engine thread.
    var hands: [Hand] {
        let words = base.bindMemory(
            to: Atomic<Int64>.self,
            capacity: (count + 1) * Hand.wordCount
        )
        return (1...count).map { Hand(words + $0 * Hand.wordCount, owner: self) }
    }

    /// What an ended run had in hand, and its number; nil for bytes that are no such file.
    static func read(_ bytes: [UInt8]) -> (run: Int64, records: [Hand.Record])? {
        let words = stride(from: 0, to: bytes.count - bytes.count % wordBytes, by: wordBytes).map {
            start in
            (0..<wordBytes).reduce(Int64(0)) { $0 | Int64(bytes[start + $1]) << (8 * $1) }
        }
        guard words.count >= 3, words[0] == magic, words[2] >= 0, words[2] < 1 << 20,
            words.count >= (Int(words[2]) + 1) * Hand.wordCount
        else { return nil }
        return (
            words[1],
            (0..<Int(words[2])).compactMap {
                let line = ($0 + 1) * Hand.wordCount
                return Hand.record(words[line], words[line + 1])
            }
        )
    }
}

/// Why the file of the hands cannot be used.
struct HandFileError: Error {
    let text: String

    init(_ path: String, _ code: Int32) {
        text = "\(path): \(SystemError.text(code))"
    }
}
