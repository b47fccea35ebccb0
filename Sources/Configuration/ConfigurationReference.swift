/// The tables of docs/configuration.md, made from the table of keys, so that page and program cannot disagree.
package enum ConfigurationReference {
    /// A table of keys in Markdown.
    package static func markdown(_ keys: [ConfigurationKey]) -> String {
        var text = "| key | takes | default | meaning |\n|---|---|---|---|\n"
        for key in keys {
            let fallback = key.fallback.isEmpty ? "must be given" : "`\(key.fallback)`"
            let stage =
                switch key.stage {
                case .works: ""
                case .defaultOnly: " *Only the default as yet.*"
                case .withoutEffect: " *Only the default as yet, and it has no effect.*"
                }
            text +=
                "| `\(key.path)` | \(escaped(key.values)) | \(fallback) | \(key.meaning)\(stage) |\n"
        }
        return text
    }

    private static func escaped(_ text: String) -> String {
        text.split(separator: "|", omittingEmptySubsequences: false).joined(separator: "\\|")
    }
}
