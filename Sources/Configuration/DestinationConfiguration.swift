/// One document of `config/destinations/*.yaml`.
package struct DestinationConfiguration: Hashable, Sendable {
    /// The settings of the template `webhook`.
    package struct Webhook: Hashable, Sendable {
        /// A plain one is checked; one that is referred to is to be checked once it is resolved.
        package var url: ReferencedText
        /// Always a reference.
        package var secret: ReferencedText
        /// 1 s … 120 s; also the base of the settle rule.
        package var timeoutMilliseconds: Int64 = 30_000
    }

    /// The settings of the template `file`.
    package struct File: Hashable, Sendable {
        /// A relative one begins at the working directory.
        package var path: String
    }

    /// How it is spoken to.
    package enum Template: Hashable, Sendable {
        case webhook(Webhook)
        case file(File)
    }

    /// Unique among destinations.
    package var id: String
    /// How it is spoken to, with what that needs.
    package var template: Template
    /// Ranges of private and loopback addresses it may be at.
    package var allowPrivate: [String]
    /// Where its values stand.
    package var places: Places
}

/// What only the shell can check of a destination, so that its complaints come with a place as well.
///
/// Each says what is wrong and what to do, or nil.
package struct DestinationRules {
    /// About an element of `allow_private`.
    package var rangeComplaint: (_ range: String) -> String?
    /// About a URL that is no reference, with the ranges of `allow_private` that are right.
    package var urlComplaint: (_ url: String, _ allowPrivate: [String]) -> String?

    /// Rules from their parts; without them everything is taken.
    package init(
        rangeComplaint: @escaping (_ range: String) -> String? = { _ in nil },
        urlComplaint: @escaping (_ url: String, _ allowPrivate: [String]) -> String? = { _, _ in nil
        }
    ) {
        self.rangeComplaint = rangeComplaint
        self.urlComplaint = urlComplaint
    }
}
