import Basics
import Foundation
import HTTPAPI
import TestKit
import Testing

@Suite("TLS of the server", .enabled(if: TLSFiles.canBeMade, "there is no openssl program"))
struct TLSIdentityTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        for name in ["one", "two"] { try TLSFiles.make(name, in: folder.url.path) }
    }

    private func identity(_ certificate: String, _ key: String) throws -> TLSIdentity {
        try TLSIdentity(
            certificate: folder.text("\(certificate).pem"),
            key: folder.text("\(key)-key.pem")
        )
    }

    private func problem(certificate: String, key: String) -> String {
        do throws(TLSIdentity.Problem) {
            _ = try TLSIdentity(certificate: certificate, key: key)
            return "none"
        } catch {
            return error.description
        }
    }

    @Test("a pair that does not fit, or is damaged, is refused with the library's reason")
    func refused() throws {
        let (certificate, key) = (try folder.text("one.pem"), try folder.text("one-key.pem"))
        #expect(problem(certificate: certificate, key: key) == "none")
        let rest =
            "; give a certificate and its private key in PEM, the key without a password"
        #expect(
            problem(certificate: certificate, key: try folder.text("two-key.pem"))
                == "the certificate and the key cannot be used together: "
                + "The certificate and the given key do not match" + rest
        )
        let cut = String(certificate.prefix(certificate.count / 2))
        for (certificate, key) in [
            (cut, key), ("", key), ("hello", key), (certificate, ""), (certificate, "hello"),
            (key, certificate),
        ] {
            let text = problem(certificate: certificate, key: key)
            #expect(text.hasPrefix("the certificate and the key cannot be used together: "))
            #expect(text.hasSuffix(rest), "\(text)")
            #expect(!text.contains("no reason given"), "\(text)")
        }
        #expect("\(try identity("one", "one"))".contains("BEGIN") == false)
    }

    @Test("who says no word of TLS, or half of one, is cut; plain HTTP gets no answer")
    func silent() throws {
        var limits = HTTPLimits()
        limits.idleMilliseconds = 300
        let server = try HTTPServer(
            listen: ListenAddress(port: 0),
            limits: limits,
            identity: identity("one", "one")
        ) { _ in .text("secret") }
        defer { server.stop() }
        #expect(try RawClient(port: server.port).isClosed())
        let half = try RawClient(port: server.port)
        // The beginning of a record that is to carry a handshake of 512 bytes.
        half.send([22, 3, 1, 2, 0, 1])
        #expect(try half.isClosed())
        let plain = try RawClient(port: server.port)
        plain.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        #expect(try !plain.untilClosed().contains("secret"))
    }
}
