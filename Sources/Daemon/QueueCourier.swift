import Basics
import Destinations
import KafkaDelivery
import Sync

/// The courier of a destination whose transport takes batches or runs as a whole, on a thread of its own.
final class QueueCourier: Courier {
    /// The transports of this kind.
    enum Transport {
        case file(FileTransport)
        case topic(TopicTransport)
        case folder(RunFolderTransport)
        case objects(ObjectStoreTransport)
    }

    let destination: String
    private(set) var isUp: Bool?

    private var transport: Transport
    private let routes: CourierRoutes
    private var underWay: [UInt64: (sync: String, message: String?)] = [:]
    private var news = CourierNews()
    private var nextToken: UInt64 = 1

    init(_ destination: String, _ transport: Transport, routes: CourierRoutes) {
        self.destination = destination
        self.transport = transport
        self.routes = routes
    }

    func allowance(sync: String, now: Int64) -> Int { .max }

    func send(_ request: DeliveryRequest, now: Int64) {
        let token = open(request.syncID, request.messageID)
        switch transport {
        case .file(let file): file.submit(lines: DeltaRecord.render(request), token: token)
        case .topic(let topic): topic.submit(request, token: token)
        case .folder, .objects: preconditionFailure("\(destination) takes runs")
        }
    }

    func write(_ run: RunRequest, columns: [String]) {
        let token = open(run.syncID, nil)
        switch transport {
        case .folder(let folder): folder.submit(run, columns: columns, token: token)
        case .objects(let objects): objects.submit(run, columns: columns, token: token)
        case .file, .topic: preconditionFailure("\(destination) takes batches")
        }
    }

    private func open(_ sync: String, _ message: String?) -> UInt64 {
        defer { nextToken += 1 }
        underWay[nextToken] = (sync, message)
        return routes.open(self, nextToken)
    }

    func answered(_ token: UInt64, _ answer: CourierAnswer, now: Int64) {
        guard case .whole(let outcome) = answer, let sent = underWay.removeValue(forKey: token)
        else { return }
        isUp = outcome.isUp
        news.completions.append(
            CourierNews.Completion(sync: sent.sync, message: sent.message, outcome: outcome)
        )
    }

    func advance(now: Int64) -> CourierNews {
        defer { news = CourierNews() }
        return news
    }

    func resume() {}

    /// Signs with other credentials from now on.
    func credentialsChanged(_ credentials: ObjectStoreSettings.Credentials) {
        if case .objects(let objects) = transport { objects.update(credentials) }
    }

    /// Goes on with another transport; what is under way with the old one ends with nobody knowing how.
    func replace(by other: Transport) {
        if case .topic(let topic) = transport { topic.stop(graceMilliseconds: 0) }
        transport = other
    }

    func stop() {
        switch transport {
        case .file(let file): file.stop()
        case .topic(let topic): topic.stop(graceMilliseconds: Int64(SyncService.graceMilliseconds))
        case .folder(let folder): folder.stop()
        case .objects(let objects): objects.stop()
        }
    }
}
