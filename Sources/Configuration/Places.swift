package import YAML

/// Where the values of one document stand, so that a check made later can name the place.
package struct Places: Hashable, Sendable {
    /// The file.
    package var file: String
    /// What the overrides are called, in their order.
    var overrideNames: [String]
    var marks: [String: Mark] = [:]
    var start: Mark

    init(file: String, overrideNames: [String], start: Mark) {
        self.file = file
        self.overrideNames = overrideNames
        self.start = start
    }

    /// The place of a value; of the document where the value is not given.
    ///
    /// - Parameter path: `kafka.topic`, `accept_history[0]`.
    /// - Returns: A place for a problem.
    package func place(of path: String) -> ConfigurationProblem.Place {
        place(marks[path] ?? start)
    }

    /// A problem with a value.
    package func problem(
        _ code: ConfigurationProblem.Code,
        at path: String,
        _ text: String
    ) -> ConfigurationProblem {
        ConfigurationProblem(place: place(of: path), code: code, text: "\(path): \(text)")
    }

    /// The mark of a value; nil where it is not given.
    package func mark(of path: String) -> Mark? { marks[path] }

    func place(_ mark: Mark) -> ConfigurationProblem.Place {
        if let index = Override.index(of: mark) { return .override(overrideNames[index]) }
        return .file(file, mark)
    }
}
