/// What makes a pattern of `glob` wrong.
///
/// `[` opens a class that needs its `]`; `!` after it negates; a `]` first and a `-` first or last are
/// members; `a-z` is a range. All else is `*`, `**`, `?` and ordinary scalars, `^` and `\` among them.
enum GlobSyntax {
    /// The fault in words that follow "the pattern …", nil for a good one.
    static func fault(in pattern: String) -> String? {
        let scalars = Array(pattern.unicodeScalars)
        var position = 0
        while position < scalars.count {
            let scalar = scalars[position]
            position += 1
            guard scalar == "[" else { continue }
            var first = position
            if first < scalars.count, scalars[first] == "!" { first += 1 }
            // The first member may be `]` itself, so the end is looked for behind it.
            guard
                let end = scalars.indices.dropFirst(first + 1).first(where: { scalars[$0] == "]" })
            else { return "has a [ without its ]" }
            if let fault = rangeFault(Array(scalars[first..<end])) { return fault }
            position = end + 1
        }
        return nil
    }

    /// A backward range among the members of a class.
    private static func rangeFault(_ members: [Unicode.Scalar]) -> String? {
        var position = 0
        while position < members.count {
            let low = members[position]
            guard position + 2 < members.count, members[position + 1] == "-" else {
                position += 1
                continue
            }
            let high = members[position + 2]
            if high < low { return "has the backward range \(low)-\(high)" }
            position += 3
        }
        return nil
    }
}
