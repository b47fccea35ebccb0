import Basics
import Sync

/// The daemon's routes: health, metrics, the reads of `/v1`, and what is asked of definitions, syncs and the clock.
///
/// Order of the checks, so that an answer tells no more than it has to: Host and Origin (403), the key (401) and
/// how often it came (429), the path (404), the method (405), what the key may do (403), the query (400), then the
/// data (404, 409, 422, 503). docs/api.md shows every route.
package struct APIHandler<Queries: APIQueries>: Sendable {
    private enum Route {
        case health
        case readiness
        case metrics
        case status
        case cohorts
        case cohort(String)
        case acceptCohort(String)
        case members(cohort: String)
        case reload
        case syncs
        case sync(String)
        case command(SyncCommand, sync: String)
        case acceptTime
        case rebase
        case skip

        /// As the header `Allow` has them.
        var methods: [String] {
            switch self {
            case .command, .acceptTime, .acceptCohort, .reload, .rebase, .skip: ["POST"]
            case .cohort: ["PUT", "DELETE"]
            default: ["GET", "HEAD"]
            }
        }

        /// What a key must be allowed; nil where none is asked for, on purpose: balancers and Prometheus have none.
        var scope: APIScope? {
            switch self {
            case .health, .readiness, .metrics: nil
            case .status, .cohorts, .syncs, .sync: .read
            case .members: .export
            case .command, .cohort, .acceptCohort: .write
            case .acceptTime, .reload, .rebase, .skip: .admin
            }
        }

        /// Whether the log says who did it: it changes something, or takes users out.
        var isNoted: Bool {
            switch scope {
            case nil, .read, .profile, .ingest: false
            case .export, .write, .admin: true
            }
        }
    }

    private let queries: Queries
    private let gate: APIGate

    /// The routes of a daemon that answers `queries`, for those whom `gate` lets in.
    package init(queries: Queries, gate: APIGate) {
        self.queries = queries
        self.gate = gate
    }

    /// The answer to a complete request.
    package func respond(to request: HTTPRequest) -> HTTPResponse {
        do throws(APIGate.Refusal) {
            // One with a body was counted before that was read.
            let (route, caller) = try admit(request, isCounted: request.body.isEmpty)
            let response = answer(route, request)
            if route.isNoted { gate.note(request, by: caller, status: response.status) }
            return response
        } catch {
            return error.response
        }
    }

    /// The answer to a request whose body is still to come; nil where the body is wanted.
    package func refuseBody(of request: HTTPRequest) -> HTTPResponse? {
        do throws(APIGate.Refusal) {
            if case (.cohort, _) = try admit(request, isCounted: true), request.method == "PUT" {
                return Self.refuseType(of: request)
            }
            return .error(
                status: 400,
                code: "bad_request",
                "\(request.method) \(request.target) takes no body; send the request without one"
            )
        } catch {
            return error.response
        }
    }

    /// The answer to a body that is no definition, as its type says.
    private static func refuseType(of request: HTTPRequest) -> HTTPResponse? {
        let type = request.headers["Content-Type"].map {
            $0.prefix { $0 != ";" }.lowercased().filter { $0 != " " && $0 != "\t" }
        }
        if let type, bodyTypes.contains(type) { return nil }
        return .error(
            status: 415,
            code: "unsupported_media_type",
            "a definition is sent with Content-Type \(bodyTypes.joined(separator: " or "))"
        )
    }

    private static var bodyTypes: [String] { ["application/json", "application/yaml"] }

    // MARK: Routing

    /// Finds out what is asked, by whom, and whether they may.
    private func admit(
        _ request: HTTPRequest,
        isCounted: Bool
    ) throws(APIGate.Refusal) -> (Route, APIGate.Caller) {
        try gate.checkOrigin(of: request)
        let known = Self.route(request.path)
        var caller = APIGate.Caller.anyone
        if known.map({ $0.scope != nil }) ?? true {
            caller = try gate.identify(request)
            if isCounted { try gate.count(caller) }
        }
        guard let route = known else {
            throw APIGate.Refusal(
                response: .error(
                    status: 404,
                    code: "not_found",
                    "there is no such path; docs/api.md lists the paths"
                )
            )
        }
        guard route.methods.contains(request.method) else {
            var response = HTTPResponse.error(
                status: 405,
                code: "method_not_allowed",
                "this path answers \(route.methods.joined(separator: " and ")) only"
            )
            response.headers.append(("Allow", route.methods.joined(separator: ", ")))
            throw APIGate.Refusal(response: response)
        }
        if let scope = route.scope, !caller.may(scope) {
            if route.isNoted { gate.note(request, by: caller, status: 403) }
            throw APIGate.Refusal(
                response: .error(
                    status: 403,
                    code: "forbidden",
                    "this takes a key with the scope \"\(scope.rawValue)\", which "
                        + "\"\(caller.name ?? "")\" does not have"
                )
            )
        }
        return (route, caller)
    }

    private static func route(_ path: [String]) -> Route? {
        switch path.count {
        case 1 where path[0] == "healthz": .health
        case 1 where path[0] == "readyz": .readiness
        case 1 where path[0] == "metrics": .metrics
        case 2 where path[0] == "v1" && path[1] == "status": .status
        case 2 where path[0] == "v1" && path[1] == "cohorts": .cohorts
        case 3 where path[0] == "v1" && path[1] == "cohorts": .cohort(path[2])
        case 4 where path[0] == "v1" && path[1] == "cohorts" && path[3] == "members":
            .members(cohort: path[2])
        case 4 where path[0] == "v1" && path[1] == "cohorts" && path[3] == "accept":
            .acceptCohort(path[2])
        case 2 where path[0] == "v1" && path[1] == "reload": .reload
        case 2 where path[0] == "v1" && path[1] == "syncs": .syncs
        case 3 where path[0] == "v1" && path[1] == "syncs": .sync(path[2])
        case 4 where path[0] == "v1" && path[1] == "syncs":
            SyncCommand(rawValue: path[3]).map { .command($0, sync: path[2]) }
        case 3 where path[0] == "v1" && path[1] == "time" && path[2] == "accept": .acceptTime
        case 3 where path[0] == "v1" && path[1] == "kafka" && path[2] == "rebase": .rebase
        case 3 where path[0] == "v1" && path[1] == "kafka" && path[2] == "skip": .skip
        default: nil
        }
    }

    // MARK: Answers

    private func answer(_ route: Route, _ request: HTTPRequest) -> HTTPResponse {
        do throws(BadQuery) {
            switch route {
            case .health:
                return .text("ok")
            case .readiness:
                let readiness = queries.readiness()
                return .json(
                    status: readiness.reasons.isEmpty ? 200 : 503,
                    APIBodies.readiness(readiness)
                )
            case .metrics:
                return HTTPResponse(
                    contentType: "text/plain; version=0.0.4",
                    body: queries.metrics()
                )
            case .status:
                try QueryReader(request.query, known: []).checkNames()
                return .json(APIBodies.status(queries.status()))
            case .cohorts:
                try QueryReader(request.query, known: []).checkNames()
                return .json(APIBodies.cohorts(queries.cohorts()))
            case .syncs:
                try QueryReader(request.query, known: []).checkNames()
                return .json(APIBodies.syncs(queries.syncs()))
            case .sync(let id):
                try QueryReader(request.query, known: []).checkNames()
                return sync(id)
            case .command(let command, let id):
                try QueryReader(request.query, known: []).checkNames()
                return run(command, sync: id)
            case .acceptTime:
                try QueryReader(request.query, known: []).checkNames()
                return acceptTime()
            case .reload:
                try QueryReader(request.query, known: []).checkNames()
                return change(DefinitionRequest.reload)
            case .acceptCohort(let id):
                guard try asksFromNow(request) else {
                    throw BadQuery(text: "from=now says from when on; nothing else can be accepted")
                }
                return change(.accept(cohort: try cohortID(id)))
            case .cohort(let id):
                if request.method == "DELETE" {
                    try QueryReader(request.query, known: []).checkNames()
                    return change(.delete(cohort: id))
                }
                let fromNow = try asksFromNow(request)
                return change(
                    .apply(cohort: try cohortID(id), body: request.body, fromNow: fromNow)
                )
            case .rebase:
                return try rebase(
                    QueryReader(request.query, known: ["topic", "partition", "at"])
                )
            case .skip:
                return try skip(
                    QueryReader(request.query, known: ["topic", "partition", "first", "last"])
                )
            case .members(let cohort):
                return try members(
                    of: cohort,
                    QueryReader(request.query, known: ["after", "limit"])
                )
            }
        } catch {
            return .error(status: 400, code: "bad_request", error.text)
        }
    }

    private func asksFromNow(_ request: HTTPRequest) throws(BadQuery) -> Bool {
        let query = QueryReader(request.query, known: ["from"])
        try query.checkNames()
        guard let from = try query.value("from") else { return false }
        guard from == "now" else { throw BadQuery(text: "from can be now, not \"\(from)\"") }
        return true
    }

    private func cohortID(_ id: String) throws(BadQuery) -> String {
        if Identifier.isValid(id) { return id }
        throw BadQuery(text: "\"\(id)\" is no id of a cohort: \(Identifier.grammar)")
    }

    private func change(_ request: DefinitionRequest) -> HTTPResponse {
        do throws(APIQueryError) {
            return .json(APIBodies.changes(try queries.change(definitions: request)))
        } catch {
            return Self.response(to: error, about: request.cohort)
        }
    }

    private func members(of cohort: String, _ query: QueryReader) throws(BadQuery) -> HTTPResponse {
        try query.checkNames()
        let after = try query.value("after")
        let limit = try query.integer("limit", in: 1...10_000) ?? 1000
        do throws(APIQueryError) {
            let page = try queries.members(of: cohort, after: after, limit: limit)
            return .json(APIBodies.members(page, of: cohort))
        } catch {
            return Self.response(to: error, about: cohort)
        }
    }

    private func sync(_ id: String) -> HTTPResponse {
        guard let sync = queries.syncs().first(where: { $0.status.sync == id }) else {
            return Self.response(to: .unknownSync, about: id)
        }
        return .json(APIBodies.sync(sync))
    }

    /// Answers with the sync as it stands after the command.
    private func run(_ command: SyncCommand, sync id: String) -> HTTPResponse {
        do throws(APIQueryError) {
            try queries.command(command, sync: id)
            return sync(id)
        } catch {
            return Self.response(to: error, about: id)
        }
    }

    private func acceptTime() -> HTTPResponse {
        do throws(APIQueryError) {
            return .json(APIBodies.time(try queries.acceptTime()))
        } catch {
            return Self.response(to: error, about: "")
        }
    }

    private func rebase(_ query: QueryReader) throws(BadQuery) -> HTTPResponse {
        try query.checkNames()
        let partition = try query.integer("partition", in: 0...Int(PartitionID.max))
        let at = try query.integer("at", in: 0...Int(Offset.max - 1))
        if at != nil, partition == nil {
            throw BadQuery(text: "at is an offset of one partition: give partition, too")
        }
        return change(
            LogRequest(
                topic: try query.required("topic"),
                partition: partition.map { PartitionID($0) },
                .rebase(at: at.map { Offset($0) })
            )
        )
    }

    private func skip(_ query: QueryReader) throws(BadQuery) -> HTTPResponse {
        try query.checkNames()
        let offsets = 0...Int(Offset.max - 1)
        guard let partition = try query.integer("partition", in: 0...Int(PartitionID.max)),
            let first = try query.integer("first", in: offsets),
            let last = try query.integer("last", in: offsets)
        else { throw BadQuery(text: "partition, first and last are needed") }
        guard first <= last else {
            throw BadQuery(text: "first \(first) is beyond last \(last)")
        }
        return change(
            LogRequest(
                topic: try query.required("topic"),
                partition: PartitionID(partition),
                .skip(Offset(first)...Offset(last))
            )
        )
    }

    private func change(_ request: LogRequest) -> HTTPResponse {
        do throws(APIQueryError) {
            return .json(APIBodies.log(try queries.change(log: request)))
        } catch {
            return Self.response(to: error, about: request.topic)
        }
    }

    private static func response(to error: APIQueryError, about id: String) -> HTTPResponse {
        switch error {
        case .unknownCohort:
            .error(
                status: 404,
                code: "not_found",
                "there is no cohort \"\(id)\"; GET /v1/cohorts lists them"
            )
        case .unknownSync:
            .error(
                status: 404,
                code: "not_found",
                "there is no sync \"\(id)\"; GET /v1/syncs lists them"
            )
        case .ownedByFile:
            .error(
                status: 409,
                code: "owned_by_file",
                "cohort \"\(id)\" is one of a file: edit that and reload"
            )
        case .badRequest(let text): .error(status: 400, code: "bad_request", text)
        case .invalid(let text): .error(status: 422, code: "invalid", text)
        case .unknownLog(let reason): .error(status: 404, code: "not_found", reason)
        case .refused(let reason): .error(status: 409, code: "refused", reason)
        case .notReady(let reason): .error(status: 503, code: "not_ready", reason)
        }
    }
}

/// A query that a route cannot read; `text` says why.
struct BadQuery: Error {
    let text: String
}

/// Reads the parameters of one route: each at most once, none that the route does not know.
struct QueryReader {
    private let items: [HTTPRequest.QueryItem]
    private let known: [String]

    init(_ items: [HTTPRequest.QueryItem], known: [String]) {
        self.items = items
        self.known = known
    }

    /// Refuses names that are unknown or repeat.
    func checkNames() throws(BadQuery) {
        for (index, item) in items.enumerated() {
            guard known.contains(item.name) else {
                let hint =
                    Suggestion.nearest(to: item.name, among: known).map {
                        "; did you mean \"\($0)\"?"
                    }
                throw BadQuery(text: "unknown parameter \"\(item.name)\"\(hint ?? "")")
            }
            if items[..<index].contains(where: { $0.name == item.name }) {
                throw BadQuery(text: "parameter \"\(item.name)\" is given more than once")
            }
        }
    }

    func value(_ name: String) throws(BadQuery) -> String? {
        items.first { $0.name == name }?.value
    }

    func required(_ name: String) throws(BadQuery) -> String {
        guard let value = try value(name), !value.isEmpty else {
            throw BadQuery(text: "parameter \"\(name)\" is needed")
        }
        return value
    }

    func integer(_ name: String, in range: ClosedRange<Int>) throws(BadQuery) -> Int? {
        guard let text = try value(name) else { return nil }
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let number = Int(text),
            range.contains(number)
        else {
            throw BadQuery(
                text:
                    "\(name) must be a whole number from \(range.lowerBound) "
                    + "to \(range.upperBound), not \"\(text)\""
            )
        }
        return number
    }
}
