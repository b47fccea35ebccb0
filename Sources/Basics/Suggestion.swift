/// "Did you mean": the known name nearest to a mistyped one.
public enum Suggestion {
    /// The candidate within a third of the word's length of edits (at least 1, at most 3), the nearest
    /// first, ties by the order given; nil if none is that near.
    ///
    /// A transposition of neighbours counts as one edit (optimal string alignment distance).
    public static func nearest(to word: String, among candidates: [String]) -> String? {
        let limit = min(3, max(1, word.utf8.count / 3))
        var best: (name: String, distance: Int)?
        for candidate in candidates {
            let distance = editDistance(Array(word.utf8), Array(candidate.utf8))
            if distance <= limit, distance < best?.distance ?? Int.max {
                best = (candidate, distance)
            }
        }
        return best?.name
    }

    private static func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var rows = [Array(0...right.count)]
        for i in 1..<(left.count + 1) {
            var row = [i]
            for j in 1..<(right.count + 1) {
                let same = left[i - 1] == right[j - 1]
                var cost = min(
                    rows[i - 1][j] + 1,
                    row[j - 1] + 1,
                    rows[i - 1][j - 1] + (same ? 0 : 1)
                )
                if i > 1, j > 1, left[i - 1] == right[j - 2], left[i - 2] == right[j - 1] {
                    cost = min(cost, rows[i - 2][j - 2] + 1)
                }
                row.append(cost)
            }
            rows.append(row)
        }
        return rows[left.count][right.count]
    }
}
