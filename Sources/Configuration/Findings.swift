package import YAML

/// What reading a document gathers besides values: problems and places.
package final class Findings {
    private(set) var problems: [ConfigurationProblem] = []
    /// Where values stand.
    package private(set) var places: Places
    /// How many problems there are so far.
    package var problemCount: Int { problems.count }
    let keys: [String: ConfigurationKey]

    init(places: Places, keys: [ConfigurationKey]) {
        self.places = places
        self.keys = Dictionary(uniqueKeysWithValues: keys.map { ($0.path, $0) })
    }

    /// Notes a problem.
    package func report(_ code: ConfigurationProblem.Code, _ mark: Mark, _ text: String) {
        problems.append(ConfigurationProblem(place: places.place(mark), code: code, text: text))
    }

    func note(_ path: String, _ mark: Mark) {
        places.marks[path] = mark
    }

    /// In the order of the file, then those of overrides in their order.
    var sortedProblems: [ConfigurationProblem] {
        problems.enumerated().sorted { left, right in
            (rank(left.element), left.offset) < (rank(right.element), right.offset)
        }.map(\.element)
    }

    private func rank(_ problem: ConfigurationProblem) -> (Int, Int, Int) {
        switch problem.place {
        case .file(_, let mark): (0, mark.line, mark.column)
        case .override(let name): (1, places.overrideNames.firstIndex(of: name) ?? 0, 0)
        case .flag: (2, 0, 0)
        }
    }
}

/// Compares nested pairs, for which the language has no `<`.
private func < (left: ((Int, Int, Int), Int), right: ((Int, Int, Int), Int)) -> Bool {
    left.0 == right.0 ? left.1 < right.1 : left.0 < right.0
}

/// A value that cannot be taken.
package struct Refusal: Error {
    /// What kind.
    package var code: ConfigurationProblem.Code
    /// What is wrong and what to do, without the path.
    package var text: String

    /// A refusal from its parts.
    package init(_ code: ConfigurationProblem.Code, _ text: String) {
        self.code = code
        self.text = text
    }
}
