/// Where each trace stands in the row of the user in hand: a row is walked twice at most, however many of its traces
/// are asked for.
///
/// Copies share the buffer, and take turns by ``begin()``.
struct TracePlaces {
    /// By trace: the number of the walk that found it, and below that how many bytes into the row it stands; last the
    /// number of the last walk.
    private let places: WordBuffer
    private let traceCount: Int
    private var walk: UInt64 = 0
    private var isAsked = false
    private var isWalked = false

    private static let positionBits: UInt64 = 25
    private static let walkMax = UInt64.max >> positionBits

    init(traces: Int) {
        places = WordBuffer(count: traces + 1)
        traceCount = traces
    }

    /// Begins with another user, or with one whose row changed.
    mutating func begin() {
        isAsked = false
        isWalked = false
    }

    /// What the user has of a trace; nil where that is nothing.
    ///
    /// - Complexity: O(traces the user has) the first two times, O(1) from then on.
    @inline(__always)
    mutating func find(
        _ trace: Int,
        in row: SlabRow,
        of lists: borrowing TraceLists
    ) -> TraceLists.Entry? {
        if !isWalked {
            // Whoever is looked at because of the clock is often asked for one.
            if !isAsked {
                isAsked = true
                return lists.find(trace, in: row)
            }
            walk(row, lists)
        }
        let place = places[trace]
        guard place >> Self.positionBits == walk else { return nil }
        return lists.entry(at: Int(place & (1 << Self.positionBits - 1)), of: row)
    }

    private mutating func walk(_ row: SlabRow, _ lists: borrowing TraceLists) {
        if places[traceCount] == Self.walkMax {
            for trace in 0...traceCount { places[trace] = 0 }
        }
        walk = places[traceCount] + 1
        places[traceCount] = walk
        isWalked = true
        let mark = walk << Self.positionBits
        lists.forEachPlace(row) { places[$0.trace] = mark | UInt64($1) }
    }
}
