import Basics
import LogStore

/// The file `topic` of the data directory: which partitions the state was made from.
///
/// One that comes later holds users whose history is elsewhere, so it is read only where a person says so.
struct TopicShape {
    private static let name = "topic"

    private let files: SmallFiles<DiskFileSystem>
    private var topic: String?
    /// How many there were when the first event was read.
    private(set) var count = 0
    /// Those that a person let be read since.
    private var later: [PartitionID] = []

    /// Reads what an earlier run left; an older version left nothing.
    init(_ files: SmallFiles<DiskFileSystem>) throws(StoreError) {
        self.files = files
        guard let bytes = try files.read(Self.name) else { return }
        let words = String(decoding: bytes, as: UTF8.self).split { $0 == " " || $0 == "\n" }
        guard words.count >= 2, let count = Int(words[1]), count > 0 else { return }
        let later = words.dropFirst(2).map { PartitionID($0) }
        guard !later.contains(nil) else { return }
        topic = String(words[0])
        self.count = count
        self.later = later.compactMap { $0 }
    }

    /// Notes how many partitions the topic has, where nothing is known of it.
    mutating func begin(topic: String, count: Int) throws(StoreError) {
        guard self.topic != topic else { return }
        self.topic = topic
        self.count = count
        later = []
        try write()
    }

    /// Whether a partition is read.
    func contains(_ partition: PartitionID) -> Bool {
        partition < count || later.contains(partition)
    }

    /// Lets a partition be read.
    mutating func add(_ partition: PartitionID) throws(StoreError) {
        guard !contains(partition) else { return }
        later.append(partition)
        try write()
    }

    private func write() throws(StoreError) {
        let words = [topic ?? "", "\(count)"] + later.sorted().map { "\($0)" }
        try files.writeAtomically(Self.name, Array((words.joined(separator: " ") + "\n").utf8))
    }
}
