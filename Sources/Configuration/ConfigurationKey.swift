/// A row of the table of keys: what `docs/configuration.md` and messages say of one.
package struct ConfigurationKey: Sendable {
    /// What becomes of a value today.
    package enum Stage: Sendable {
        /// Any valid value works.
        case works
        /// Other values than the default come with a later version; the default is what happens today.
        case defaultOnly
        /// As `defaultOnly`, and what the default promises comes later too: it has no effect yet.
        case withoutEffect
    }

    /// `kafka.topic`; relative to the document.
    package var path: String
    /// What it takes: `1s … 1h, divides 24h`.
    package var values: String
    /// As written in YAML; empty where the key must be given.
    package var fallback: String
    /// One or two sentences.
    package var meaning: String
    /// What becomes of a value today.
    package var stage: Stage

    /// A row from its cells.
    package init(
        _ path: String,
        _ values: String,
        _ fallback: String,
        _ meaning: String,
        _ stage: Stage = .works
    ) {
        self.path = path
        self.values = values
        self.fallback = fallback
        self.meaning = meaning
        self.stage = stage
    }
}
