import Configuration
import YAML

/// How much a request carries: `batch` of a template.
package struct BatchRule: Sendable, Equatable {
    /// What `max_items` counts.
    package enum Count: String, CaseIterable, Sendable {
        case users
        /// Items of all `$each` together.
        case ids
    }

    /// Users or ids of one request.
    package var itemsMax = 1000
    /// Bytes of one body; nil for no bound.
    package var bytesMax: Int?
    /// What `itemsMax` counts.
    package var count = Count.users
    /// Whether one request may carry users who enter and users who leave.
    package var mixes = false
    /// How long a batch that is not full may wait for more, in milliseconds.
    package var lingerMilliseconds: Int64 = 0

    static func read(_ section: consuming Section) -> BatchRule {
        var batch = BatchRule()
        section.read("max_items", into: &batch.itemsMax, .integer(1...1_000_000))
        batch.bytesMax = section.optional("max_bytes", .size(256...(1 << 30)))
        section.read("count", into: &batch.count, .word)
        section.read("mix", into: &batch.mixes, .flag)
        section.read("linger", into: &batch.lingerMilliseconds, .duration(0...3_600_000))
        section.finish()
        return batch
    }
}

/// One of `limits`: never more than `count` of `unit` in any window of `per`.
package struct RateLimit: Sendable, Equatable {
    /// What shares the limit.
    package enum Scope: String, CaseIterable, Sendable {
        case destination
        case audience
        case user
        case route
    }

    /// What is counted.
    package enum Unit: String, CaseIterable, Sendable {
        case requests
        case items
    }

    /// How a header tells an instant or a span.
    package enum ResetUnit: String, CaseIterable, Sendable {
        case seconds = "s"
        case epochSeconds = "epoch_s"
        case epochMilliseconds = "epoch_ms"
    }

    /// A header that says when a limit starts anew.
    package struct Reset: Sendable, Equatable {
        /// The header.
        package var name: String
        /// What its number means.
        package var unit: ResetUnit

        /// A header from its parts.
        package init(name: String, unit: ResetUnit) {
            self.name = name
            self.unit = unit
        }
    }

    /// What shares the limit.
    package var scope: Scope
    /// What is counted.
    package var unit: Unit
    /// How many.
    package var count: Int
    /// The length of the window, in milliseconds.
    package var perMilliseconds: Int64
    /// The header that says how many are left.
    package var remainingHeader: String?
    /// The header that says when the count starts anew.
    package var resetHeader: Reset?

    /// A limit from its parts.
    package init(
        scope: Scope = .destination,
        unit: Unit,
        count: Int,
        perMilliseconds: Int64,
        remainingHeader: String? = nil,
        resetHeader: Reset? = nil
    ) {
        self.scope = scope
        self.unit = unit
        self.count = count
        self.perMilliseconds = perMilliseconds
        self.remainingHeader = remainingHeader
        self.resetHeader = resetHeader
    }

    static func read(_ section: consuming Section) -> RateLimit? {
        var scope = Scope.destination
        section.read("scope", into: &scope, .word)
        let unit = section.required("unit", ValueReader<Unit>.word)
        let count = section.required("count", .integer(1...1_000_000_000))
        let per = section.required("per", .duration(1...7 * 86_400_000))
        var remaining: String?
        var reset: Reset?
        if var headers = section.sectionIfGiven("headers") {
            remaining = headers.optional("remaining", .text("the name of a header"))
            if var inner = headers.sectionIfGiven("reset") {
                let name = inner.required("name", .text("the name of a header"))
                let unit = inner.required("unit", ValueReader<ResetUnit>.word)
                inner.finish()
                if let name, let unit { reset = Reset(name: name, unit: unit) }
            }
            headers.finish()
        }
        section.finish()
        guard let unit, let count, let per else { return nil }
        return RateLimit(
            scope: scope,
            unit: unit,
            count: count,
            perMilliseconds: per,
            remainingHeader: remaining,
            resetHeader: reset
        )
    }
}

/// How many requests are on their way at once: `concurrency` of a template.
package struct ConcurrencyRule: Sendable, Equatable {
    /// Of the destination.
    package var max = 1
    /// Of one list at the partner; 1 where the partner locks it.
    package var perListMax = 1
    /// Whether the number follows how the partner bears it.
    package var isAdaptive = false

    /// A rule from its parts.
    package init(max: Int = 1, perListMax: Int? = nil, isAdaptive: Bool = false) {
        self.max = max
        self.perListMax = perListMax ?? max
        self.isAdaptive = isAdaptive
    }

    static func read(_ section: consuming Section) -> ConcurrencyRule {
        var rule = ConcurrencyRule()
        section.read("max", into: &rule.max, .integer(1...64))
        rule.perListMax = section.optional("per_audience", .integer(1...64)) ?? rule.max
        section.read("adaptive", into: &rule.isAdaptive, .flag)
        section.finish()
        return rule
    }
}

/// When to try again: `retry` of a template.
package struct RetryRule: Sendable, Equatable {
    /// How waiting times are spread.
    package enum Jitter: String, CaseIterable, Sendable {
        case full
    }

    /// The bound of the first wait, in milliseconds; doubles from there.
    package var initialMilliseconds: Int64 = 1000
    /// The bound's bound, in milliseconds.
    package var maxMilliseconds: Int64 = 300_000
    var jitter = Jitter.full
    /// After so long a failure is shown as degraded, in milliseconds; tried again all the same.
    package var windowMilliseconds: Int64 = 86_400_000

    /// A rule from its bounds.
    package init(initialMilliseconds: Int64 = 1000, maxMilliseconds: Int64 = 300_000) {
        self.initialMilliseconds = initialMilliseconds
        self.maxMilliseconds = maxMilliseconds
    }

    static func read(_ section: consuming Section) -> RetryRule {
        var rule = RetryRule()
        section.read("initial", into: &rule.initialMilliseconds, .duration(100...3_600_000))
        section.read("max", into: &rule.maxMilliseconds, .duration(100...3_600_000))
        section.read("jitter", into: &rule.jitter, .word)
        section.read("window", into: &rule.windowMilliseconds, .duration(60_000...30 * 86_400_000))
        if rule.initialMilliseconds > rule.maxMilliseconds {
            section.report(
                .conflict,
                at: section.mark,
                "\(section.path(of: "initial")) is longer than \(section.path(of: "max"))"
            )
        }
        section.finish()
        return rule
    }
}

/// Facts about a partner that people are shown: `traits` of a template.
package struct PartnerTraits: Sendable, Equatable {
    /// How much a partner says about single users.
    package enum Partial: String, CaseIterable, Sendable {
        case ids
        case index
        case count
        case async
        case none
    }

    /// Whether users whom the partner does not know come into being.
    package var createsUsers = false
    /// How much its answers say about single users.
    package var partial = Partial.none
    /// When a change shows, in words.
    package var visibleAfter: String?
    /// The largest list, in users.
    package var cohortMax: Int?

    static func read(_ section: consuming Section) -> PartnerTraits {
        var traits = PartnerTraits()
        section.read("creates_users", into: &traits.createsUsers, .flag)
        section.read("partial", into: &traits.partial, .word)
        traits.visibleAfter = section.optional("visible_after", .text("a text"))
        traits.cohortMax = section.optional("max_cohort", .integer(1...1_000_000_000_000))
        section.finish()
        return traits
    }
}
