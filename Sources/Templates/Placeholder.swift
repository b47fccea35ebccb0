/// What a `${…}` stands for; a closed list.
enum Placeholder: Hashable, Sendable {
    /// A value of the destination's `settings`.
    case setting(String)
    case cohortID
    case cohortName
    case cohortCreatedAt
    /// The id of the list at the partner.
    case listID
    /// A mapped identifier of the user at hand, by its place among `identity.keys`.
    case cell(Int)
    /// All mapped identifiers of the user at hand, the missing ones empty.
    case row
    /// Whether the user at hand enters.
    case entering
    /// The names of `identity.keys`.
    case identityNames
    /// The number of the page of a full sync, counted from 1.
    case pageIndex
    case pageIsLast
    /// What all pages of one full sync have in common: 64 bits.
    case session
    /// How many users a full sync has.
    case total
    /// Stands for this request and its repetitions.
    case batchID
    /// The tick that the changes are of.
    case tick
    /// What users are looked up by, in the order of the request.
    case lookupKeys
    /// What the partner calls a job.
    case jobID

    /// The types a placeholder can have.
    enum Kind: Sendable {
        case text
        case integer
        case boolean
        case instant
        case texts
    }

    /// Where a placeholder may stand.
    struct Scope: OptionSet, Sendable {
        let rawValue: Int

        static let settings = Scope(rawValue: 1)
        static let cohort = Scope(rawValue: 2)
        static let list = Scope(rawValue: 4)
        /// Where one user is at hand.
        static let user = Scope(rawValue: 8)
        static let page = Scope(rawValue: 16)
        static let batch = Scope(rawValue: 32)
        static let identity = Scope(rawValue: 64)
        static let lookup = Scope(rawValue: 128)
        static let job = Scope(rawValue: 256)
    }

    /// The placeholders with a name that is the same in every template.
    private static let fixed: [(name: String, placeholder: Placeholder)] = [
        ("cohort.id", .cohortID), ("cohort.name", .cohortName),
        ("cohort.created_at", .cohortCreatedAt), ("audience.id", .listID), ("u.row", .row),
        ("u.entering", .entering), ("identity.names", .identityNames), ("page.index", .pageIndex),
        ("page.last", .pageIsLast), ("sync.session_u64", .session), ("sync.total", .total),
        ("batch.id", .batchID), ("batch.tick", .tick),
        ("lookup.keys", .lookupKeys), ("job.id", .jobID),
    ]

    /// The placeholder of a name in a template with these settings and identity keys.
    init?(_ name: String, settings: [String], keys: [String]) {
        if let fixed = Self.fixed.first(where: { $0.name == name }) {
            self = fixed.placeholder
        } else if name.hasPrefix("settings."), settings.contains(String(name.dropFirst(9))) {
            self = .setting(String(name.dropFirst(9)))
        } else if name.hasPrefix("u."), let index = keys.firstIndex(of: String(name.dropFirst(2))) {
            self = .cell(index)
        } else {
            return nil
        }
    }

    /// Every name that means something in a template, for suggestions.
    static func names(settings: [String], keys: [String], scope: Scope) -> [String] {
        fixed.filter { scope.contains($0.placeholder.scope) }.map(\.name)
            + (scope.contains(.settings) ? settings.map { "settings." + $0 } : [])
            + (scope.contains(.user) ? keys.map { "u." + $0 } : [])
    }

    /// What has to be at hand where it stands.
    var scope: Scope {
        switch self {
        case .setting: .settings
        case .cohortID, .cohortName, .cohortCreatedAt: .cohort
        case .listID: .list
        case .cell, .row, .entering: .user
        case .identityNames: .identity
        case .pageIndex, .pageIsLast, .session, .total: .page
        case .batchID, .tick: .batch
        case .lookupKeys: .lookup
        case .jobID: .job
        }
    }

    /// Its type; a setting of type int is a number where it is the whole of a value, and text elsewhere.
    var kind: Kind {
        switch self {
        case .setting, .cohortID, .cohortName, .listID, .cell, .batchID, .jobID: .text
        case .cohortCreatedAt, .tick: .instant
        case .row, .identityNames, .lookupKeys: .texts
        case .entering, .pageIsLast: .boolean
        case .pageIndex, .session, .total: .integer
        }
    }
}
