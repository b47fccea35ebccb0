import Basics
import Delivery
import Destinations
import PartnerKit
import Sync
import Templates
import Testing

/// A destination of the harness: a partner on loopback, perhaps behind a proxy, and how it is spoken to.
final class TestedDestination {
    let id: String
    let partner: Partner
    let mock: MockPartner
    let proxy: CuttingProxy?
    /// Where requests go; nil for the mock or its proxy.
    var port: Int?
    /// Of its cohorts, by number.
    let cohorts: [Int]

    let settings: DestinationWorkerSettings
    let transport: WebhookTransport
    private let policy: AddressPolicy
    private let template: Template?
    private let refused: Set<String>

    /// Starts the partner, and the proxy that cuts if there is to be one.
    ///
    /// Small is a destination whose batches and limits are small, so that many requests carry few users;
    /// `partnerLimits` are others than those that its worker knows of.
    init(
        _ id: String,
        _ partner: Partner,
        cohorts: [Int] = [0, 1],
        refused: Set<String> = [],
        faults: FaultSchedule? = nil,
        hasProxy: Bool = false,
        isSmall: Bool = true,
        partnerLimits: [PartnerLimit]? = nil,
        times: HarnessTimes = HarnessTimes()
    ) throws {
        self.id = id
        self.partner = partner
        self.cohorts = cohorts
        let takesAll = partner == .webhook
        self.refused = takesAll ? [] : refused
        let users = 30
        let requests = 10
        let span: Int64 = 2000
        let limits: [PartnerLimit] =
            isSmall
            ? [
                PartnerLimit(.users, users, per: times.realMicroseconds(span)),
                PartnerLimit(.requests, requests, per: times.realMicroseconds(span)),
            ] : []
        mock = try MockPartner(
            try partner.persona(),
            limits: partnerLimits ?? limits,
            refused: self.refused,
            faults: faults,
            timeoutMilliseconds: times.timeoutMilliseconds
        )
        proxy = hasProxy ? try CuttingProxy(to: mock.port) : nil
        template = try partner.template()
        policy = try AddressPolicy(allowPrivate: ["127.0.0.0/8"])
        let url = "http://127.0.0.1:\(proxy?.port ?? mock.port)/hook"
        transport = WebhookTransport(
            destination: id,
            url: try DestinationURL(url, policy: policy),
            secret: try WebhookSecret(SecretText(Partner.webhookSecret)),
            policy: policy,
            timeoutMilliseconds: times.timeoutMilliseconds,
            version: "test"
        )
        var settings: DestinationWorkerSettings
        if let template {
            settings = DestinationWorkerSettings(
                id,
                template,
                values: partner.values,
                decompose: Partner.decompose,
                userAgent: "cohortd/test"
            )
            settings.limits = []
        } else {
            settings = DestinationWorkerSettings(
                webhook: id,
                target: transport.url.target,
                userAgent: "cohortd/test"
            )
        }
        settings.timeoutMilliseconds = times.virtual(times.timeoutMilliseconds)
        settings.retry = RetryRule(initialMilliseconds: 200, maxMilliseconds: 2000)
        if isSmall {
            settings.itemsMax = partner == .brazeCohorts ? 10 : 5
            settings.limits = [
                RateLimit(unit: .items, count: users, perMilliseconds: span),
                RateLimit(unit: .requests, count: requests, perMilliseconds: span),
            ]
        }
        self.settings = settings
    }

    /// The syncs' settings, one for each cohort.
    func syncs(_ times: HarnessTimes) throws -> [SyncSettings] {
        try cohorts.map { cohort in
            var shape = DeliveryShape()
            var naming = UserNaming()
            if let template {
                shape = DeliveryShape(template)
                naming = UserNaming(
                    choices: [.userID],
                    mapper: try IdentityMapper(
                        template.identity,
                        decompose: Partner.decompose
                    )
                ) { $0 == "email" ? 0 : 1 }
            }
            if !settings.limits.isEmpty { shape.usersMax = min(shape.usersMax, 12) }
            var sync = SyncSettings(
                id: syncID(cohort),
                cohortID: SimulatedEngine.cohorts[cohort],
                cohortName: "Cohort \(cohort)",
                destinationID: id,
                shape: shape,
                naming: naming,
                requestTimeoutMilliseconds: settings.timeoutMilliseconds
            )
            sync.reassertMilliseconds = 0
            return sync
        }
    }

    func syncID(_ cohort: Int) -> String { "\(id)-\(cohort)" }

    /// The cohorts as placeholders name them.
    func templateCohort(_ cohort: Int) -> TemplateCohort {
        TemplateCohort(
            id: SimulatedEngine.cohorts[cohort],
            name: "Cohort \(cohort)",
            createdAt: EventTime(milliseconds: 1_767_225_600_000)
        )
    }

    /// What the partner should hold for these members, given with their e-mail addresses.
    func expected(_ members: [String: String]) throws -> Set<String> {
        guard let template else { return Set(members.keys) }
        var mapper = try IdentityMapper(template.identity, decompose: Partner.decompose)
        var expected: Set<String> = []
        for (user, email) in members where !refused.contains(user) {
            guard partner == .metaCustomAudiences else {
                expected.insert(user)
                continue
            }
            var row: [UInt8] = []
            let values = mapper.sources.map { source in
                switch source {
                case .userID: user
                case .property("email"): email
                default: ""
                }
            }
            try Self.map(values, &mapper, into: &row)
            expected.insert(Self.text(row, count: template.identity.names.count))
        }
        return expected
    }

    /// A row as the partner knows it.
    private static func text(_ row: [UInt8], count: Int) -> String {
        row.withByteView { view in
            (0..<count).map { MappedRow.cell($0, of: view).string }.joined(separator: "|")
        }
    }

    private static func map(
        _ values: [String],
        _ mapper: inout IdentityMapper,
        into row: inout [UInt8]
    ) throws(MappingRefusal) {
        let bytes = values.flatMap { Array($0.utf8) }
        try bytes.withByteView { (all: ByteView) throws(MappingRefusal) in
            var views: [ByteView] = []
            var start = 0
            for value in values {
                views.append(ByteView(base: all.base + start, count: value.utf8.count))
                start += value.utf8.count
            }
            try mapper.map(views, into: &row)
        }
    }

    /// What the sender gets; templates' hosts become the partner on loopback.
    func form(
        _ request: OutgoingRequest,
        token: UInt64,
        wallClock: EventTime,
        times: HarnessTimes
    ) throws -> HTTPRequest {
        var sent: HTTPRequest
        switch request.form {
        case .webhook(let messageID):
            sent = transport.request(
                body: request.body,
                messageID: messageID,
                now: wallClock,
                token: token
            )
            if let port {
                sent.url = try DestinationURL("http://127.0.0.1:\(port)/hook", policy: policy)
            }
        case .whole(let method, let url, let headers):
            let path = url.dropFirst("https://".count).drop { $0 != "/" }
            let port = port ?? proxy?.port ?? mock.port
            sent = HTTPRequest(
                destination: id,
                method: method,
                url: try DestinationURL("http://127.0.0.1:\(port)\(path)", policy: policy),
                headers: headers,
                body: request.body,
                policy: policy,
                token: token
            )
        }
        sent.timeoutMilliseconds = times.real(request.timeoutMilliseconds)
        return sent
    }
}
