package import Basics
import Sync

/// The daemon's routes: health, metrics, the reads of `/v1`, and what is asked of syncs and of the clock.
///
/// Order of the checks, so that an answer tells no more than it has to: Host and Origin (403), the
/// path (404), the method (405), the query (400), then the data (404, 409, 503). docs/api.md shows every
/// route.
package struct APIHandler<Queries: APIQueries>: Sendable {
    private enum Route {
        case health
        case readiness
        case metrics
        case status
        case cohorts
        case members(cohort: String)
        case syncs
        case sync(String)
        case command(SyncCommand, sync: String)
        case acceptTime
        case rebase
        case skip

        /// As the header `Allow` has them.
        var methods: [String] {
            switch self {
            case .command, .acceptTime, .rebase, .skip: ["POST"]
            default: ["GET", "HEAD"]
            }
        }
    }

    private let queries: Queries
    private let hostRule: HostRule

    /// The routes of a daemon that answers `queries` and listens on `listen`.
    package init(queries: Queries, listen: ListenAddress) {
        self.queries = queries
        hostRule = HostRule(listen: listen)
    }

    /// The answer to a complete request.
    package func respond(to request: HTTPRequest) -> HTTPResponse {
        switch route(of: request) {
        case .failure(let refusal): refusal.response
        case .success(let route): answer(route, request)
        }
    }

    /// The answer to a request whose body is still to come: no route takes one.
    package func refuseBody(of request: HTTPRequest) -> HTTPResponse? {
        switch route(of: request) {
        case .failure(let refusal): refusal.response
        case .success:
            .error(
                status: 400,
                code: "bad_request",
                "\(request.method) \(request.target) takes no body; send the request without one"
            )
        }
    }

    // MARK: Routing

    private struct Refusal: Error {
        let response: HTTPResponse
    }

    private func route(of request: HTTPRequest) -> Result<Route, Refusal> {
        do throws(HostRule.Refusal) {
            try hostRule.check(request.headers)
        } catch {
            return .failure(
                Refusal(response: .error(status: 403, code: "forbidden", error.text))
            )
        }
        guard let route = Self.route(request.path) else {
            return .failure(
                Refusal(
                    response: .error(
                        status: 404,
                        code: "not_found",
                        "there is no such path; docs/api.md lists the paths"
                    )
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
            return .failure(Refusal(response: response))
        }
        return .success(route)
    }

    private static func route(_ path: [String]) -> Route? {
        switch path.count {
        case 1 where path[0] == "healthz": .health
        case 1 where path[0] == "readyz": .readiness
        case 1 where path[0] == "metrics": .metrics
        case 2 where path[0] == "v1" && path[1] == "status": .status
        case 2 where path[0] == "v1" && path[1] == "cohorts": .cohorts
        case 4 where path[0] == "v1" && path[1] == "cohorts" && path[3] == "members":
            .members(cohort: path[2])
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
            return .json(APIBodies.log(try queries.change(request)))
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
