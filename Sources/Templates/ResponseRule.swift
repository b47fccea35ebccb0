/// One of `responses`: which answers it is for, and what they mean.
struct ResponseRule: Sendable {
    /// What a text in an answer is compared with.
    enum Test: Sendable {
        case exists(Bool)
        case equals(String)
        case isIn([String])
        case matches(BytePattern)

        /// Whether a text, or nothing, passes.
        func passes(_ text: String?, isThere: Bool) -> Bool {
            switch self {
            case .exists(let wanted): return isThere == wanted
            case .equals(let wanted): return text == wanted
            case .isIn(let wanted): return text.map(wanted.contains) ?? false
            case .matches(let pattern): return text.map(pattern.matches) ?? false
            }
        }
    }

    /// A place in the body and what is asked of it.
    struct BodyTest: Sendable {
        var pointer: JSONPointer
        var test: Test
    }

    /// A header and what is asked of it.
    struct HeaderTest: Sendable {
        var name: String
        var test: Test
    }

    /// Which answers a rule is for; all conditions that are there must hold.
    struct Condition: Sendable {
        /// nil for every status.
        var statuses: [ClosedRange<Int>]?
        var body: BodyTest?
        var header: HeaderTest?

        /// Whether it asks for nothing but the status.
        var isStatusOnly: Bool { body == nil && header == nil }

        /// Whether an answer of that status can meet it.
        func takes(status: Int) -> Bool {
            statuses.map { $0.contains { $0.contains(status) } } ?? true
        }
    }

    /// How an element of an answer names the user it is about.
    enum ItemKey: Sendable {
        /// By identifier.
        case id(JSONPointer)
        /// By place in the list of the body, counted from 0.
        case index(JSONPointer)
        /// By a JSON pointer into the body that was sent; the first number in it counts.
        case pointer(JSONPointer)
    }

    /// What one element of an answer means for its user.
    struct ItemRule: Sendable {
        /// nil for every element.
        var condition: BodyTest?
        var outcome: Outcome
        var reason: String?
    }

    /// How an answer tells which users were not taken.
    struct Items: Sendable {
        var pointer: JSONPointer
        var key: ItemKey
        var rules: [ItemRule]
        /// What an element that names no user of the batch means for the whole batch.
        var unkeyed: Outcome
        /// Where a partner's word for an element stands.
        var reason: JSONPointer?
    }

    /// How an answer tells how many users were not taken, but not who.
    struct CountSkipped: Sendable {
        var pointer: JSONPointer
        /// A map or list of samples; only its size is used, for it holds identifiers.
        var samples: JSONPointer?
        var reason: String
    }

    /// Where an answer says when to come back.
    struct After: Sendable {
        /// The units; a closed list.
        enum Unit: String, CaseIterable, Sendable {
            case seconds = "s"
            case milliseconds = "ms"
            case epochSeconds = "epoch_s"
            case epochMilliseconds = "epoch_ms"
            case httpDate = "http_date"
            /// Meta's `X-Business-Use-Case-Usage`: JSON with minutes in it.
            case metaUsage = "meta_buc"
        }

        var header: String
        var unit: Unit
    }

    var condition: Condition
    var outcome: Outcome
    var items: Items?
    var countSkipped: CountSkipped?
    var after: After?
    /// Whether to send halves until what is refused stands alone.
    var isSplit = false
    var reason: String?
}

/// What an answer means for users; a closed list.
package enum Outcome: String, CaseIterable, Sendable {
    /// The partner has the change.
    case delivered
    /// The partner took the request and does not say what became of each user.
    case accepted
    /// The partner will never take it as it is: not sent again until the mapped value changes.
    case skip
    /// Not known, or not done: sent again.
    case retry
    /// Too fast: sent again, slower; no failure.
    case throttle
    /// The credential is refused: pauses the sync, and no user is at fault.
    case auth
    /// The list is not there any more: made anew once.
    case gone
    /// Nothing will help but a person: pauses the sync.
    case fatal
}
