/// What the YAML and the JSON reader share: problems and the making of maps.
struct TreeBuilder {
    /// What is said of a document beyond ``DocumentReader/depthMax``.
    static let tooDeepText =
        "lists and maps nest more than \(DocumentReader.depthMax) deep: flatten the document"

    /// In the order found.
    private(set) var problems: [DocumentProblem] = []

    /// How many of them cost their document.
    var lostCount: Int { problems.count { $0.losesDocument } }

    /// Notes a problem that leaves the tree usable, so that its other problems can be found too.
    mutating func note(_ code: DocumentProblem.Code, _ mark: Mark, _ text: String) {
        problems.append(DocumentProblem(mark: mark, code: code, text: text, losesDocument: false))
    }

    /// Notes a problem that costs the document.
    mutating func lose(_ code: DocumentProblem.Code, _ mark: Mark, _ text: String) {
        problems.append(DocumentProblem(mark: mark, code: code, text: text, losesDocument: true))
    }

    /// Adds a pair to a map, or notes that its key is there already.
    ///
    /// `seen` tells where each key of the map stands, by bytes: equality of `String` would take texts for
    /// the same that only look alike.
    mutating func add(
        _ pair: Node.Pair,
        to pairs: inout [Node.Pair],
        seen: inout [[UInt8]: Mark]
    ) {
        if let first = seen[Array(pair.key.utf8)] {
            let text =
                "the key \"\(pair.key.excerpt)\" is there already, in line \(first.line): write it once"
            note(.duplicateKey, pair.keyMark, text)
        } else {
            seen[Array(pair.key.utf8)] = pair.keyMark
            pairs.append(pair)
        }
    }
}
