import Basics
import Foundation
import Glibc
import HTTPAPI
import Testing

/// A partner with lists of e-mails, spoken to by ``template``: it keeps the lists and every request in the order of
/// arrival, and takes one key.
final class Shop: Sendable {
    /// One request as it came.
    struct Request: Sendable {
        var line: String
        var authorization: String
        var body: String
        /// What it was answered.
        var status = 0
    }

    /// The body of the two requests.
    fileprivate struct Body: Decodable {
        var name: String?
        var add: [String]?
        var remove: [String]?
    }

    fileprivate struct State {
        var key: String
        var requests: [Request] = []
        /// By the id of the list.
        var lists: [String: Set<String>] = [:]
        /// How often each e-mail was taken in, over all lists.
        var additions: [String: Int] = [:]
        var problems: [String] = []
        var answer: @Sendable (Request) -> HTTPResponse? = { _ in nil }
    }

    static let template = """
        template: shop
        model: list
        settings:
          url: {type: url, required: true}
          key: {type: secret, required: true}
        base_url: ${settings.url}
        auth: {kind: bearer, token: '${settings.key}'}
        identity:
          keys:
            - {name: email, from: props.email, normalise: [trim, lower]}
        audience:
          ensure:
            request: {method: POST, path: /lists, body: {name: '${cohort.name}'}}
            id: /list/id
        members:
          change:
            method: POST
            path: /lists/${audience.id}/members
            body:
              add: {$each: adds, item: '${u.email}'}
              remove: {$each: removes, item: '${u.email}'}
        batch: {max_items: 100, mix: true}
        responses:
          - {when: {status: [200-299]}, then: delivered}
          - {when: {status: [429]}, then: throttle}
          - {when: {status: [401, 403]}, then: auth, reason: key_rejected}
          - {when: {status: [404]}, then: gone, reason: list_not_found}
          - {when: {status: [400-499]}, then: skip, split: true, reason: rejected_by_partner}
          - {when: {status: [500-599]}, then: retry}

        """

    private let server: HTTPServer
    private let state: Locked<State>

    /// Where it listens.
    var url: String { "http://\(server.address)/v1" }

    /// A partner without lists.
    init(key: String) throws {
        let state = Locked(State(key: key))
        self.state = state
        server = try HTTPServer(listen: ListenAddress(port: 0)) { Self.take($0, state) }
    }

    deinit {
        server.stop()
    }

    /// Says what later requests are answered; nil for what a partner would answer.
    func answer(_ answer: @escaping @Sendable (Request) -> HTTPResponse?) {
        state.withLock { $0.answer = answer }
    }

    var requests: [Request] { state.withLock { $0.requests } }
    var lists: [String: Set<String>] { state.withLock { $0.lists } }
    var additions: [String: Int] { state.withLock { $0.additions } }
    /// Requests of a form that the template does not have.
    var problems: [String] { state.withLock { $0.problems } }
    /// Who is on the only list; empty before it is made.
    var members: Set<String> { lists.values.first ?? [] }

    private static func take(
        _ request: HTTPAPI.HTTPRequest,
        _ state: Locked<State>
    ) -> HTTPResponse {
        var kept = Request(
            line: "\(request.method) \(request.target)",
            authorization: request.headers["authorization"] ?? "",
            body: String(decoding: request.body, as: UTF8.self)
        )
        let asked = kept
        // Outside of the lock: it may do things that take a while.
        let given = state.withLock { $0.answer }(asked)
        return state.withLock { state in
            let response = given ?? state.serve(asked, path: request.path)
            kept.status = response.status
            state.requests.append(kept)
            return response
        }
    }
}

extension Shop.State {
    fileprivate mutating func serve(_ request: Shop.Request, path: [String]) -> HTTPResponse {
        guard request.authorization == "Bearer \(key)" else {
            // As careless as partners are: the answer repeats the credential.
            return .text(status: 401, "unknown credential \(request.authorization)\n")
        }
        guard request.line.hasPrefix("POST "), path.first == "v1", path.dropFirst().first == "lists"
        else { return refuse(request, 405) }
        let body: Shop.Body
        do {
            body = try JSONDecoder().decode(Shop.Body.self, from: Data(request.body.utf8))
        } catch {
            return refuse(request, 400)
        }
        if path.count == 2, body.name != nil {
            let id = "list-\(lists.count + 1)"
            lists[id] = []
            return HTTPResponse(
                status: 201,
                body: Array(#"{"list":{"id":"\#(id)"}}"#.utf8)
            )
        }
        guard path.count == 4, path[3] == "members", lists[path[2]] != nil,
            let add = body.add, let remove = body.remove
        else { return refuse(request, 404) }
        lists[path[2]]?.subtract(remove)
        lists[path[2]]?.formUnion(add)
        for email in add { additions[email, default: 0] += 1 }
        return HTTPResponse(status: 200)
    }

    private mutating func refuse(_ request: Shop.Request, _ status: Int) -> HTTPResponse {
        problems.append("\(status): \(request.line) \(request.body)")
        return .text(status: status, "not understood\n")
    }
}

extension DaemonUnderTest {
    /// A daemon that tells a shop who is in a cohort.
    static func telling(
        _ shop: Shop,
        key: String,
        of cohort: (id: String, users: String),
        through broker: Broker
    ) throws -> DaemonUnderTest {
        let daemon = try DaemonUnderTest()
        try daemon.configure(kafka: broker.address, properties: broker.properties)
        try daemon.shop(url: shop.url, key: key)
        try daemon.cohorts([cohort], to: ["shop"])
        return daemon
    }

    /// Writes the shop's template, and a destination with a key of its own in the file `ID-key`.
    func shop(_ id: String = "shop", url: String, key: String) throws {
        try template("shop", Shop.template)
        try write("\(id)-key", key)
        try write(
            "destinations/\(id).yaml",
            """
            id: \(id)
            template: shop
            settings: {url: "\(url)", key: "file:\(path)/\(id)-key"}
            allow_private: [127.0.0.0/8]
            """
        )
    }

    /// Writes a template.
    func template(_ name: String, _ text: String) throws {
        try FileManager.default.createDirectory(
            atPath: "\(path)/destinations/templates",
            withIntermediateDirectories: true
        )
        try write("destinations/templates/\(name).yaml", text)
    }
}
