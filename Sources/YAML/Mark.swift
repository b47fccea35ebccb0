/// A place in a text file.
package struct Mark: Hashable, Sendable {
    /// Counts from 1.
    package var line: Int
    /// Counts from 1, in Unicode scalars.
    package var column: Int

    /// A place from its line and column, both counted from 1.
    package init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }
}
