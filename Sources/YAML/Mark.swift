/// A place in a text file.
public struct Mark: Hashable, Sendable {
    /// Counts from 1.
    public var line: Int
    /// Counts from 1, in Unicode scalars.
    public var column: Int

    /// A place from its line and column, both counted from 1.
    public init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }
}
