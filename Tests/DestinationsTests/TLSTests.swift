import Delivery
import Destinations
import Foundation
import PartnerKit
import Testing

/// Certificates and a TLS server made by the `openssl` program.
private enum OpenSSL {
    static let path = "/usr/bin/openssl"
    static let isThere = FileManager.default.isExecutableFile(atPath: path)

    /// Writes a certificate that is its own authority, for the address 127.0.0.1.
    static func makeCertificate(in directory: String) throws {
        let process = Process()
        process.executableURL = URL(filePath: path)
        process.arguments = [
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-keyout", "\(directory)/key.pem", "-out", "\(directory)/certificate.pem",
            "-days", "2", "-subj", "/CN=receiver", "-addext", "subjectAltName=IP:127.0.0.1",
        ]
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
    }

    /// Runs a server that answers GET while the body runs.
    static func withServer(in directory: String, _ body: (Int) throws -> Void) throws {
        let process = Process()
        process.executableURL = URL(filePath: path)
        process.arguments = [
            "s_server", "-accept", "127.0.0.1:0", "-www",
            "-cert", "\(directory)/certificate.pem", "-key", "\(directory)/key.pem",
        ]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        defer {
            // SIGTERM is blocked in children of a Dispatch thread.
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }
        var text = ""
        var port: Int?
        while port == nil {
            let data = output.fileHandleForReading.availableData
            try #require(!data.isEmpty, "openssl s_server ended: \(text)")
            text += String(decoding: data, as: UTF8.self)
            port =
                text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
                .first { $0.hasPrefix("ACCEPT ") }
                .flatMap { $0.split(separator: ":").last.flatMap { Int($0) } }
        }
        try body(try #require(port))
    }
}

@Suite("TLS", .enabled(if: OpenSSL.isThere))
struct TLSTests {
    private func get(
        port: Int,
        host: String = "127.0.0.1",
        authorities: String?
    ) throws
        -> HTTPOutcome
    {
        let policy = try AddressPolicy(allowPrivate: ["127.0.0.0/8", "::1/128"])
        return try outcome(
            of: HTTPRequest(
                destination: "crm",
                method: "GET",
                url: try DestinationURL("https://\(host):\(port)/CANARY", policy: policy),
                headers: [],
                body: [],
                timeoutMilliseconds: 20_000,
                policy: policy,
                token: 1
            ),
            authorities: authorities
        )
    }

    @Test("a certificate of unknown origin or for another name is refused, a trusted one is not")
    func certificates() throws {
        try withTemporaryDirectory { directory in
            try OpenSSL.makeCertificate(in: directory)
            let certificate = "\(directory)/certificate.pem"
            try OpenSSL.withServer(in: directory) { port in
                let stranger = try get(port: port, authorities: nil)
                #expect(stranger.notSentText?.contains("TLS: ") == true, "\(stranger)")
                #expect(stranger.notSentText?.contains("CANARY") == false)
                let misnamed = try get(port: port, host: "localhost", authorities: certificate)
                #expect(misnamed.notSentText?.contains("TLS: ") == true, "\(misnamed)")
                let trusted = try get(port: port, authorities: certificate)
                #expect(trusted.answer?.status == 200, "\(trusted)")
                let reply = try HTTPClient.send(
                    .get,
                    "https://127.0.0.1:\(port)/",
                    authorities: certificate
                )
                #expect(reply.status == 200)
                #expect(throws: HTTPClientError.self) {
                    try HTTPClient.send(.get, "https://127.0.0.1:\(port)/")
                }
            }
        }
    }

    @Test("a peer that never says a word of TLS is known not to have been sent anything")
    func silentPeer() throws {
        let server = try LoopbackServer { connection in connection.waitForEnd() }
        let policy = try loopbackPolicy()
        let request = HTTPRequest(
            destination: "crm",
            url: try DestinationURL("https://127.0.0.1:\(server.port)/", policy: policy),
            headers: [],
            body: Array("{}".utf8),
            timeoutMilliseconds: 300,
            policy: policy,
            token: 1
        )
        let outcome = try outcome(of: request)
        #expect(outcome.notSentText != nil, "\(outcome)")
    }
}
