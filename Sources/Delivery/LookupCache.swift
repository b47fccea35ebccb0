/// Ids of a partner's own by ours, as long as they are believed.
///
/// Holds up to 65 536 of them; of more the older half goes.
struct LookupCache: Sendable {
    private struct Entry: Sendable {
        var id: String
        var end: Int64
    }

    private static let halfMax = 32_768

    private var younger: [String: Entry] = [:]
    private var older: [String: Entry] = [:]

    /// How many ids are held.
    var count: Int { younger.count + older.count }

    /// The partner's id; nil where it is not known any more.
    func id(of key: String, now: Int64) -> String? {
        guard let entry = younger[key] ?? older[key], now < entry.end else { return nil }
        return entry.id
    }

    /// Keeps an id until that time.
    mutating func keep(_ id: String, of key: String, until end: Int64) {
        if younger.count == Self.halfMax {
            older = younger
            younger = [:]
        }
        younger[key] = Entry(id: id, end: end)
    }

    /// Forgets all ids.
    mutating func reset() {
        self = LookupCache()
    }
}
