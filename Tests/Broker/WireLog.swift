/// The log of one partition: batches as bytes, and the transactions in them.
struct WireLog {
    private struct Stored {
        let first: Int64
        let last: Int64
        let bytes: [UInt8]
    }

    struct Aborted {
        let producerID: Int64
        let first: Int64
        fileprivate let last: Int64
    }

    /// The node that leads the partition.
    var leader: Int32 = 1
    private var batches: [Stored] = []
    private var open: [Int64: Int64] = [:]
    private var aborted: [Aborted] = []
    /// The offset that each fetch asked for, in their order.
    private(set) var fetched: [Int64] = []

    /// The offset of the next record.
    var end: Int64 { batches.last.map { $0.last + 1 } ?? 0 }
    /// Where the first open transaction begins; without one the end.
    var stableEnd: Int64 { min(end, open.values.min() ?? end) }

    /// Appends a batch and returns its first offset.
    mutating func append(_ batch: RecordBatch) -> Int64 {
        let first = end
        let last = first + max(1, batch.offsetCount) - 1
        batches.append(Stored(first: first, last: last, bytes: batch.bytes(at: first)))
        if batch.producerID >= 0, !batch.isControl, open[batch.producerID] == nil {
            open[batch.producerID] = first
        }
        return first
    }

    /// Appends what a producer sent, one batch or several behind each other; nil where it is none.
    mutating func append(produced bytes: [UInt8]) -> Int64? {
        let first = end
        var rest = bytes[...]
        while rest.count > 61 {
            let length = rest.dropFirst(8).prefix(4).reduce(0) { $0 << 8 | Int($1) } + 12
            guard length <= rest.count else { return nil }
            var batch = Array(rest.prefix(length))
            let lastDelta = batch[23..<27].reduce(0) { $0 << 8 | Int64($1) }
            let offset = end
            // The offset is the broker's to say; the checksum does not look at it.
            for index in 0..<8 {
                batch[index] = UInt8(truncatingIfNeeded: offset >> (56 - 8 * Int64(index)))
            }
            batches.append(Stored(first: offset, last: offset + lastDelta, bytes: batch))
            rest = rest.dropFirst(length)
        }
        return rest.isEmpty ? first : nil
    }

    /// Ends the open transaction of a producer.
    mutating func endTransaction(of producerID: Int64, isCommitted: Bool, timestamp: Int64) {
        let first = open.removeValue(forKey: producerID) ?? end
        let marker = append(
            .marker(producerID: producerID, isCommitted: isCommitted, timestamp: timestamp)
        )
        if !isCommitted {
            aborted.append(Aborted(producerID: producerID, first: first, last: marker))
        }
    }

    /// Whether a fetch from `offset` gets something, or an error, at once.
    func hasAnswer(from offset: Int64) -> Bool { offset < stableEnd || offset > end }

    /// What a fetch gets: whole batches, the first one whatever its size; nil where there is no such offset.
    mutating func fetch(from offset: Int64, bytesMax: Int) -> (bytes: [UInt8], aborted: [Aborted])?
    {
        fetched.append(offset)
        guard offset >= 0, offset <= end else { return nil }
        var bytes: [UInt8] = []
        var last = offset
        for batch in batches where batch.last >= offset && batch.first < stableEnd {
            if !bytes.isEmpty, bytes.count + batch.bytes.count > bytesMax { break }
            bytes += batch.bytes
            last = batch.last
        }
        return (bytes, aborted.filter { $0.last >= offset && $0.first <= last })
    }
}
