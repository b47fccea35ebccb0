import Foundation

/// Certificates made by the `openssl` program.
package enum TLSFiles {
    private static let program = "/usr/bin/openssl"

    /// Whether they can be made here.
    package static let canBeMade = FileManager.default.isExecutableFile(atPath: program)

    /// Writes `NAME.pem`, a certificate that is its own authority, for 127.0.0.1 and localhost, and `NAME-key.pem`.
    ///
    /// - Throws: What Foundation throws where the program cannot be run, or `NotMade`.
    package static func make(_ name: String, in folder: String) throws {
        let run = try ProgramRun(
            program,
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                "-nodes", "-keyout", "\(folder)/\(name)-key.pem", "-out", "\(folder)/\(name).pem",
                "-days", "2", "-subj", "/CN=\(name)",
                "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost",
            ]
        )
        if run.status != 0 { throw NotMade(text: run.errors) }
    }

    /// Why there is no certificate.
    package struct NotMade: Error {
        /// What the program said.
        package let text: String
    }
}
