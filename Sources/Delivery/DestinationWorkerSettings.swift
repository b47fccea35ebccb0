package import Templates

/// What a destination's worker has to know of it.
package struct DestinationWorkerSettings: Sendable {
    /// How the destination is spoken to.
    package enum Speaker: Sendable {
        /// By the webhook's body, one request per batch; `target` is what messages call it: scheme, host and port.
        case webhook(target: String)
        /// By a template with the values of its settings.
        case template(
            Template,
            values: [String: SettingValue],
            decompose: CompatibilityDecomposition
        )
    }

    /// The destination's id.
    package var id: String
    /// How it is spoken to.
    package var speaker: Speaker
    /// Users of one request, at most; ids where the template counts ids.
    package var itemsMax: Int
    /// How many requests or items in a span of time.
    package var limits: [RateLimit]
    /// How many requests at once.
    package var concurrency: ConcurrencyRule
    /// How long to wait before trying again.
    package var retry: RetryRule
    /// How long one request may take, in milliseconds.
    package var timeoutMilliseconds: Int64
    /// The header `User-Agent`: `cohortd/VERSION`.
    package var userAgent: String

    /// A webhook; without other words no limits, and as many requests at once as there are syncs, up to 64.
    package init(
        webhook id: String,
        target: String,
        usersMax: Int = 1000,
        limits: [RateLimit] = [],
        concurrency: ConcurrencyRule = ConcurrencyRule(max: 64),
        retry: RetryRule = RetryRule(),
        timeoutMilliseconds: Int64 = 30_000,
        userAgent: String
    ) {
        self.id = id
        speaker = .webhook(target: target)
        itemsMax = usersMax
        self.limits = limits
        self.concurrency = concurrency
        self.retry = retry
        self.timeoutMilliseconds = timeoutMilliseconds
        self.userAgent = userAgent
    }

    /// A partner with a template, which says how it is to be treated.
    ///
    /// `values` are the destination's settings, references resolved; `decompose` is Unicode's compatibility
    /// decomposition.
    package init(
        _ id: String,
        _ template: Template,
        values: [String: SettingValue],
        decompose: @escaping CompatibilityDecomposition,
        userAgent: String
    ) {
        self.id = id
        speaker = .template(template, values: values, decompose: decompose)
        itemsMax = template.batch.itemsMax
        limits = template.limits
        concurrency = template.concurrency
        retry = template.retry
        timeoutMilliseconds = template.timeoutMilliseconds
        self.userAgent = userAgent
    }

    var template: Template? {
        if case .template(let template, _, _) = speaker { template } else { nil }
    }

    /// The most items that one user can be of a request.
    var itemsPerUser: Int {
        guard let template, template.batch.count == .ids else { return 1 }
        return max(1, template.identity.names.count)
    }

    /// Users of one request, at most.
    var usersMax: Int { max(1, itemsMax / itemsPerUser) }
}
