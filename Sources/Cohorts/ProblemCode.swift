import YAML

/// What can be wrong with a definition; the raw values are the stable words of docs/errors.md.
public enum ProblemCode: String, CaseIterable, Sendable {
    // The file is no YAML or JSON we take.
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

    // The shape of the tree.
    case unknownKey = "unknown_key"
    case missingKey = "missing_key"
    case conflictingKey = "conflicting_key"
    case wrongType = "wrong_type"
    case notText = "not_text"
    case empty
    case unknownWord = "unknown_word"
    case outOfRange = "out_of_range"
    case clausesTooDeep = "clauses_too_deep"
    case tooManyClauses = "too_many_clauses"

    // Names and what they name.
    case badID = "bad_id"
    case duplicateID = "duplicate_id"
    case unknownID = "unknown_id"
    case cycle
    case unknownTimezone = "unknown_timezone"
    case reservedName = "reserved_name"

    // Windows.
    case badDuration = "bad_duration"
    case badDate = "bad_date"
    case mixedKinds = "mixed_kinds"
    case reversedRange = "reversed_range"

    // Predicates.
    case nullOperand = "null_operand"
    case notFinite = "not_finite"
    case listNotAllowed = "list_not_allowed"
    case neverHolds = "never_holds"
    case badVersion = "bad_version"
    case badGlob = "bad_glob"
    case trueOfZero = "true_of_zero"

    /// Said by the compiler: the definition is right, the engine cannot evaluate it yet.
    case notYet = "not_yet"

    /// The same word for a problem of the file.
    init(_ code: DocumentProblem.Code) {
        self =
            switch code {
            case .notUTF8: .notUTF8
            case .yamlSyntax: .yamlSyntax
            case .anchor: .anchor
            case .alias: .alias
            case .tag: .tag
            case .mergeKey: .mergeKey
            case .duplicateKey: .duplicateKey
            case .badKey: .badKey
            case .documentTooDeep: .documentTooDeep
            case .documentTooLarge: .documentTooLarge
            }
    }
}
