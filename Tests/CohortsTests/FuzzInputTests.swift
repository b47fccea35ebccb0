import Basics
import FuzzBodies
import TestKit
import Testing

@Suite("Kept inputs of the fuzzer of the definition parser")
struct FuzzInputTests {
    @Test("every one passes, those that once failed too")
    func all() throws {
        let inputs = try FuzzInputs.all(of: "DefinitionParserFuzz")
        #expect(inputs.count > 20)
        for input in inputs {
            // A trap ends the process: the last name printed is the culprit.
            print(input.name)
            input.bytes.withByteView { FuzzBodies.parseDefinitions($0) }
        }
    }
}
