/// A text that may stand elsewhere: a value that begins with `credential:`, `file:` or `env:` is a reference.
///
/// The shell resolves references; this target only tells them apart. A description never shows a plain text,
/// which may be a secret.
package enum ReferencedText: Hashable, Sendable, CustomStringConvertible {
    /// The text itself.
    case plain(String)
    /// `credential:NAME`: a file in the folder of `$CREDENTIALS_DIRECTORY` (systemd).
    case credential(String)
    /// `file:PATH`, absolute.
    case file(String)
    /// `env:NAME`
    case environment(String)

    /// Tells a reference from a plain text; nil for a reference that names nothing usable.
    package init?(_ text: String) {
        func name(after prefix: String) -> String? {
            text.hasPrefix(prefix) ? String(text.dropFirst(prefix.count)) : nil
        }
        if let name = name(after: "credential:") {
            guard !name.isEmpty, !name.contains("/"), name != ".", name != ".." else { return nil }
            self = .credential(name)
        } else if let path = name(after: "file:") {
            guard path.hasPrefix("/") else { return nil }
            self = .file(path)
        } else if let name = name(after: "env:") {
            guard !name.isEmpty, !name.contains("=") else { return nil }
            self = .environment(name)
        } else {
            self = .plain(text)
        }
    }

    /// Whether it has to be resolved.
    package var isReference: Bool {
        if case .plain = self { false } else { true }
    }

    /// As written in the configuration: the plain text itself, or the reference.
    package var written: String {
        if case .plain(let text) = self { text } else { description }
    }

    /// The reference as written; a plain text is not shown.
    package var description: String {
        switch self {
        case .plain: "(not shown)"
        case .credential(let name): "credential:\(name)"
        case .file(let path): "file:\(path)"
        case .environment(let name): "env:\(name)"
        }
    }
}
