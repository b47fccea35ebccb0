package import Configuration
import YAML

/// A partner as data: which requests change a list or a property there, and what the answers mean.
///
/// A checked file of `config/destinations/templates/`. What can be checked without a destination's settings
/// has been, so that rendering cannot fail for the template's sake:
/// - every placeholder, filter, normaliser and hash is of a closed list, and stands where it means something,
/// - every member request carries the users it is for,
/// - every class of answers finds a rule, and no rule is out of reach,
/// - no secret stands in a path, and no free text in the host of a URL.
///
/// Source: docs/destinations/templates.md.
package struct Template: Sendable {
    /// What a partner keeps.
    package enum Model: String, CaseIterable, Sendable {
        /// A list of users per cohort.
        case list
        /// A property of each user.
        case property
        /// Nothing: every change is a message.
        case stream
    }

    /// How a list at the partner comes and goes: `audience` of a template.
    struct ListForms: Sendable {
        /// Where its id comes from.
        enum ID: Sendable {
            /// We choose it.
            case given(TemplateText)
            /// The answer to `ensure` holds it.
            case answered(JSONPointer)
        }

        var id: ID
        var ensure: RequestForm?
        /// Which answers say that the list is there already.
        var exists: ResponseRule.Condition?
        /// Whether `ensure` carries the first users.
        var isMadeWithFirstBatch = false
        var rename: RequestForm?
        var delete: RequestForm?
    }

    /// The requests that carry users: `members` of a template.
    struct MemberForms: Sendable {
        var add: RequestForm?
        var remove: RequestForm?
        var change: RequestForm?
        var replace: RequestForm?
        var begin: RequestForm?
        var end: RequestForm?
    }

    /// Its name, by which destinations choose it.
    package var name: String
    /// Counts its editions.
    package var version = 1
    /// What the partner keeps.
    package var model = Model.list
    /// How often syncs may run.
    package var cadences = SyncConfiguration.Cadence.allCases
    /// What a destination has to say.
    package var settings: [SettingDeclaration] = []
    /// How users are named.
    package var identity = Identity()
    /// How much a request carries.
    package var batch = BatchRule()
    /// How many requests or items in a span of time.
    package var limits: [RateLimit] = []
    /// How many requests at once.
    package var concurrency = ConcurrencyRule()
    /// How long a request may take, in milliseconds.
    package var timeoutMilliseconds: Int64 = 30_000
    /// How the partner's own ids are found; nil where ours will do.
    package var lookup: Lookup?
    /// How the partner is asked about jobs; nil where answers are final.
    package var confirm: Confirmation?
    /// When to try again.
    package var retry = RetryRule()
    /// What people are shown.
    package var traits = PartnerTraits()
    /// Where it stands.
    package var places: Places

    var baseURL = TemplateText(literal: "")
    var headers: [RequestForm.Parameter] = []
    var authentication = Authentication.none
    var list: ListForms?
    var members = MemberForms()
    var rules: [ResponseRule] = []

    /// Whether a full sync can replace the list, page by page; otherwise it is a difference like any other.
    package var canReplace: Bool { members.replace != nil }
    /// How many cells the rows of members have.
    var cellCount: Int { identity.keys.count + (lookup == nil ? 0 : 1) }
    /// Whether a list has to be made at the partner before users are sent.
    package var needsList: Bool { list?.ensure != nil }
    /// Whether the partner names the list: then each sync has one of its own, also of the same cohort.
    package var hasListPerSync: Bool {
        if case .answered = list?.id { return true }
        return false
    }
    /// Whether ``TemplateBinding/ensure(changes:)`` carries the first users.
    package var isListMadeWithFirstBatch: Bool { list?.isMadeWithFirstBatch ?? false }
}
