import Basics

/// How wanted names map to what the walk over a record looks for.
///
/// The walk knows plain names of one level ("heads"). A dotted name wants two of them, itself and what
/// stands before its first dot, and some names fall through to the event's own top level. No name of the
/// top level has a dot.
struct ExtractionIndex {
    /// A wanted name without a dot.
    ///
    /// Trivial, so that reading one per event costs no reference counts.
    struct Plain {
        /// Its place among the wanted names.
        var wanted: Int
        /// Its head.
        var head: Int
        /// Its place among the names of the top level, −1 where it is none of them.
        var top: Int
    }

    /// A wanted name with dots.
    struct Dotted {
        /// Its place among the wanted names.
        var wanted: Int
        /// The head as it stands.
        var whole: Int
        /// The head before the first dot.
        var head: Int
        /// The way on from there.
        var path: PropertyPath
    }

    /// The wanted names of one kind.
    struct Names {
        /// What to look for in the properties, each once.
        private(set) var heads: [String] = []
        /// The wanted name each head is as it stands, −1 = none.
        private(set) var wantedOfHead: [Int] = []
        private(set) var plain: [Plain] = []
        private(set) var dotted: [Dotted] = []
        private var places: [String: Int] = [:]

        fileprivate init(_ names: [String], top: (String) -> Int) {
            for (wanted, name) in names.enumerated() {
                let path = PropertyPath(name)
                let whole = place(of: name)
                wantedOfHead[whole] = wanted
                if path.isDotted {
                    dotted.append(
                        Dotted(wanted: wanted, whole: whole, head: place(of: path.head), path: path)
                    )
                } else {
                    plain.append(Plain(wanted: wanted, head: whole, top: top(name)))
                }
            }
        }

        private mutating func place(of name: String) -> Int {
            if let place = places[name] { return place }
            places[name] = heads.count
            heads.append(name)
            wantedOfHead.append(-1)
            return heads.count - 1
        }
    }

    /// What to look for among an event's own members: first the names that are always sent on.
    let topNames: [String]
    let event: Names
    let user: Names
    /// The wanted event properties and user properties that fall through to the top level.
    let eventFallbacks: [Plain]
    let userFallbacks: [Plain]

    /// `more` are wanted of an event's own members besides; they come last in ``topNames``.
    init(_ extraction: Extraction, more: [String] = []) {
        var topNames = Extraction.topLevelUserNames
        event = Names(extraction.eventProperties) { name in
            guard Extraction.topLevelEventNames.contains(name) else { return -1 }
            topNames.append(name)
            return topNames.count - 1
        }
        user = Names(extraction.userProperties) { name in
            Extraction.topLevelUserNames.firstIndex(of: name) ?? -1
        }
        self.topNames = topNames + more
        eventFallbacks = event.plain.filter { $0.top >= 0 }
        userFallbacks = user.plain.filter { $0.top >= 0 }
    }
}
