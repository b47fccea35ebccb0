/// What reading a configuration needs to know of a template that is a file.
package struct TemplateOutline: Sendable {
    /// Says what is wrong with a URL that is no reference, or nil.
    package typealias URLComplaint = (_ url: String) -> String?

    /// By which destinations choose it.
    package var name: String
    /// How often syncs may run.
    package var cadences: [SyncConfiguration.Cadence]
    /// Reads the keys of a destination's `settings` and reports what is wrong with them.
    package var readSettings:
        @Sendable (_ settings: inout Section, _ urlComplaint: URLComplaint) -> [String:
            ReferencedText]

    /// An outline from its parts.
    package init(
        name: String,
        cadences: [SyncConfiguration.Cadence],
        readSettings:
            @escaping @Sendable (_ settings: inout Section, _ urlComplaint: URLComplaint)
            -> [String: ReferencedText]
    ) {
        self.name = name
        self.cadences = cadences
        self.readSettings = readSettings
    }
}
