import Arguments
import Destinations
import Foundation

/// Asks the daemon's API and turns every way in which that fails into a line and a status.
struct DaemonClient {
    let address: DaemonAddress
    /// What is sent along; nil where nothing is.
    private let key: SecretText?
    /// A file of CA certificates; nil for those of the system.
    private let authorities: String?

    /// Reads `--address`, `--key`, `--insecure` and `--ca`.
    ///
    /// - Throws: The exit status of what is wrong with them, which is on stderr by then.
    init(_ arguments: ParsedArguments) throws(ExitStatus) {
        address = try DaemonAddress(option: arguments.value("--address"))
        key = try DaemonKey.secret(option: arguments.value("--key"))
        authorities = arguments.value("--ca")
        if key != nil, address.isPlain, !address.isLoopback, !arguments.flag("--insecure") {
            printError(
                "cohortctl: the key is not sent to \(address.text), where others could read it on its way; "
                    + "ask by https, or allow it with --insecure"
            )
            throw .usage
        }
    }

    /// Why there is no answer, as a line for people, and the status it ends with.
    struct Failure: Error {
        let status: ExitStatus
        let text: String
    }

    /// Sends a request and reads the JSON document that answers it.
    ///
    /// - Parameters:
    ///   - type: What the document is read as.
    ///   - path: Path and query, percent-encoded.
    ///   - method: What is asked; `get` changes nothing.
    ///   - definition: A definition in YAML or JSON to send along; empty for none.
    ///   - other: A status beside 200 that carries the same document.
    /// - Returns: The document read, and its bytes as they came.
    /// - Throws: The exit status of what went wrong, which is on stderr by then.
    func ask<Reply: Decodable>(
        _ type: Reply.Type,
        _ path: String,
        method: HTTPClient.Method = .get,
        definition: [UInt8] = [],
        orStatus other: Int = 200
    ) throws(ExitStatus) -> (value: Reply, body: [UInt8]) {
        do throws(Failure) {
            let body = try fetch(path, method: method, definition: definition, orStatus: other)
            return (try read(type, body, path), body)
        } catch {
            printError("cohortctl: " + error.text)
            throw error.status
        }
    }

    /// As ``ask(_:_:method:definition:orStatus:)``, for a caller who goes on after a failure; nothing is printed.
    ///
    /// - Throws: What went wrong.
    func look<Reply: Decodable>(
        _ type: Reply.Type,
        _ path: String,
        orStatus other: Int = 200
    ) throws(Failure) -> Reply {
        try read(type, try fetch(path, orStatus: other), path)
    }

    /// Sends a request.
    ///
    /// - Returns: The body of an answer with status 200, or `other`.
    /// - Throws: What went wrong; nothing is printed.
    func fetch(
        _ path: String,
        method: HTTPClient.Method = .get,
        definition: [UInt8] = [],
        orStatus other: Int = 200
    ) throws(Failure) -> [UInt8] {
        let answer: (status: Int, body: [UInt8])
        do throws(HTTPClientError) {
            answer = try HTTPClient.send(
                method,
                address.text + path,
                headers: [("Accept", "application/json")]
                    + (key.map { [("Authorization", "Bearer \($0.reveal())")] } ?? [])
                    + (definition.isEmpty ? [] : [("Content-Type", "application/yaml")]),
                body: definition,
                authorities: authorities
            )
        } catch {
            throw failure(
                .unreachable,
                "no answer from \(address.text): \(error.text)",
                "is cohortd running, and does its http.listen say so? --address or COHORTD_ADDRESS "
                    + "names another place"
            )
        }
        guard answer.status == 200 || answer.status == other else {
            throw refusal(answer.status, answer.body, path)
        }
        return answer.body
    }

    private func read<Reply: Decodable>(
        _ type: Reply.Type,
        _ body: [UInt8],
        _ path: String
    ) throws(Failure) -> Reply {
        do {
            return try JSONDecoder().decode(type, from: Data(body))
        } catch {
            throw stranger(path)
        }
    }

    /// The failure of an answer that cohortd does not give.
    func stranger(_ path: String) -> Failure {
        failure(
            .unreachable,
            "\(address.text)\(path): the answer is not one of cohortd",
            "check which program listens there, and that its version is that of cohortctl"
        )
    }

    /// What of the API may not be there, and what shows what there is.
    private static let groups: [(path: String, list: String?)] = [
        ("cohorts", "cohortctl cohorts list shows all"),
        ("syncs", "cohortctl syncs list shows all"),
        ("kafka", nil),
    ]

    private func refusal(_ status: Int, _ body: [UInt8], _ path: String) -> Failure {
        let detail: String
        do {
            detail = try JSONDecoder().decode(ErrorReply.self, from: Data(body)).error.text
        } catch {
            // Not one of the daemon's own errors: something in between answered.
            detail = "status \(status), and no reason was given"
        }
        switch status {
        case 401:
            return failure(
                .keyRefused,
                "\(address.text) refuses to answer: \(detail)",
                key == nil
                    ? "give a key with --key or COHORTD_KEY"
                    : "the key that was sent is none of them; look at --key and COHORTD_KEY"
            )
        case 403:
            return failure(
                .keyRefused,
                "\(address.text) refuses to answer: \(detail)",
                key == nil
                    ? "ask on the daemon's own machine, by its listen address or localhost" : nil
            )
        case 429:
            return failure(
                .unreachable,
                "\(address.text) is asked too often: \(detail)",
                nil
            )
        case 400:
            return failure(
                .usage,
                "\(address.text) does not understand the request: \(detail)",
                nil
            )
        case 404 where !Self.groups.contains { path.hasPrefix("/v1/\($0.path)") }:
            return stranger(path)
        case 422: return failure(.no, detail, nil)
        case 404, 409:
            let list = Self.groups.first { path.hasPrefix("/v1/\($0.path)") }?.list
            return failure(.no, detail, status == 404 ? list : nil)
        case 500...:
            return failure(
                .unreachable,
                "\(address.text) cannot answer now (\(status)): \(detail)",
                "try again; cohortctl status shows what the daemon waits for"
            )
        default:
            return failure(
                .unreachable,
                "\(address.text)\(path): status \(status), which is none of cohortd's: \(detail)",
                "check which program listens there"
            )
        }
    }

    /// What happened and what to do.
    private func failure(_ status: ExitStatus, _ text: String, _ remedy: String?) -> Failure {
        Failure(status: status, text: text + (remedy.map { "; \($0)" } ?? ""))
    }
}
