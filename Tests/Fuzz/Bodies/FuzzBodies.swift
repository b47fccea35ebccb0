/// What is done with every input a fuzzer makes up.
///
/// A body returns where all is well, whatever the input, and traps where something is wrong: with one of the
/// product's own preconditions, a check of arithmetic, the address sanitizer, or one of the claims here.
package enum FuzzBodies {
    /// Ends the process with the text where a claim does not hold, in release builds too, which keep back the
    /// text of a precondition.
    static func claim(
        _ holds: Bool,
        _ text: @autoclosure () -> String,
        file: StaticString = #file,
        line: UInt = #line
    ) {
        if !holds { fatalError(text(), file: file, line: line) }
    }
}
