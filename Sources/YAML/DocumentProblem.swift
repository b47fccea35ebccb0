/// Why a file cannot be taken as YAML or JSON, with the place.
public struct DocumentProblem: Error, Hashable, Sendable {
    /// The kinds of problems; the raw values are the stable words of docs/errors.md.
    public enum Code: String, CaseIterable, Sendable {
        case notUTF8 = "not_utf8"
        case yamlSyntax = "yaml_syntax"
        case anchor
        case alias
        case tag
        case mergeKey = "merge_key"
        case duplicateKey = "duplicate_key"
        case badKey = "bad_key"
        case documentTooDeep = "document_too_deep"
        case documentTooLarge = "document_too_large"
    }

    /// Where: the key for a key, else the value.
    public var mark: Mark
    /// What kind.
    public var code: Code
    /// One sentence without a full stop: what is wrong and what to do.
    public var text: String
    /// Whether the document it stands in could not be read and is not among the documents.
    public var losesDocument: Bool

    /// A problem from its parts.
    public init(mark: Mark, code: Code, text: String, losesDocument: Bool) {
        self.mark = mark
        self.code = code
        self.text = text
        self.losesDocument = losesDocument
    }
}
