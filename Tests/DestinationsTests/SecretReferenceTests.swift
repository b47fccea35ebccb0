import Destinations
import Foundation
import Testing

@Suite("References to secrets")
struct SecretReferenceTests {
    private func surroundings(directory: String? = nil) -> SecretSurroundings {
        SecretSurroundings(credentialsDirectory: directory) {
            ["HOOK": "CANARY-env", "EMPTY": ""][$0]
        }
    }

    private func resolve(_ text: String, directory: String? = nil) throws -> String {
        let reference = try #require(try SecretReference(parsing: text))
        #expect(reference.text == text)
        return try reference.resolve(in: surroundings(directory: directory)).reveal()
    }

    @Test("credential, file and env give what is stored there, one newline less")
    func resolved() throws {
        try withTemporaryDirectory { directory in
            try Data("CANARY-credential\n".utf8).write(to: URL(filePath: "\(directory)/crm"))
            try Data("CANARY-file\n\n".utf8).write(to: URL(filePath: "\(directory)/key"))
            #expect(try resolve("credential:crm", directory: directory) == "CANARY-credential")
            #expect(try resolve("file:\(directory)/key") == "CANARY-file\n")
            #expect(try resolve("env:HOOK") == "CANARY-env")
        }
    }

    @Test("a value that begins otherwise is no reference")
    func ordinary() throws {
        for text in ["", "https://crm.example.com", "Credential:x", "whsec_AAAA", "vault:x"] {
            #expect(try SecretReference(parsing: text) == nil)
        }
    }

    @Test(
        "a reference that names nothing usable is refused",
        arguments: [
            "credential:", "credential:a/b", "credential:..", "file:", "file:key", "env:",
            "env:A=B",
        ]
    )
    func malformed(_ text: String) {
        let error = #expect(throws: SecretError.self) { try SecretReference(parsing: text) }
        #expect("\(error.map { "\($0)" } ?? "")".contains("write "))
    }

    @Test("what cannot be had is an error that names reference, reason and remedy, never the value")
    func unavailable() throws {
        try withTemporaryDirectory { directory in
            try Data().write(to: URL(filePath: "\(directory)/empty"))
            try Data([0x43, 0xff, 0xfe]).write(to: URL(filePath: "\(directory)/binary"))
            try Data("CANARY\0".utf8).write(to: URL(filePath: "\(directory)/zero"))
            try Data(Array(repeating: 0x43, count: 70_000))
                .write(to: URL(filePath: "\(directory)/long"))
            let expected = [
                ("credential:crm", "LoadCredential=crm"), ("env:MISSING", "set MISSING"),
                ("env:EMPTY", "empty"), ("file:\(directory)/none", "No such file"),
                ("file:\(directory)/empty", "empty"), ("file:\(directory)/binary", "UTF-8"),
                ("file:\(directory)/zero", "UTF-8"), ("file:\(directory)/long", "64 KiB"),
                ("file:\(directory)", "regular file"),
            ]
            for (reference, part) in expected {
                let error = #expect(throws: SecretError.self, "\(reference)") {
                    try resolve(reference)
                }
                let text = "\(try #require(error))"
                #expect(text.contains(reference) && text.contains(part), "\(text)")
                #expect(!text.contains("CANARY"))
            }
        }
    }
}
