/// The keys of a predicate map on a property.
///
/// Source: docs/cohorts.md, "Predicates on properties".
public enum PredicateOperator: String, CaseIterable, Sendable {
    case equal = "is"
    case notEqual = "is_not"
    case greater = "gt"
    case greaterOrEqual = "gte"
    case less = "lt"
    case lessOrEqual = "lte"
    case between
    case contains
    case notContains = "not_contains"
    case startsWith = "starts_with"
    case endsWith = "ends_with"
    case glob
    case set
    case versionGreater = "version_gt"
    case versionGreaterOrEqual = "version_gte"
    case versionLess = "version_lt"
    case versionLessOrEqual = "version_lte"
    case setIs = "set_is"
    case setContains = "set_contains"

    /// Whether the key holds where nothing matches: no element of an array may match a negative one.
    public var isNegative: Bool { self == .notEqual || self == .notContains }
}

/// A scalar a predicate compares with, as the definition wrote it.
public enum Operand: Hashable, Sendable {
    case text(String)
    case integer(Int64)
    /// Finite.
    case double(Double)
    case boolean(Bool)
}

/// One key of a predicate map with its operands.
///
/// `between` has exactly two operands (low, high); `set` one boolean; the keys that take a list
/// (`is is_not contains not_contains starts_with ends_with glob set_is set_contains`) one or more; every other
/// key exactly one.
public struct PredicateTest: Hashable, Sendable {
    /// The key.
    public var op: PredicateOperator
    /// What it compares with.
    public var operands: [Operand]

    /// A test from its parts, which the checker of definitions has checked.
    public init(op: PredicateOperator, operands: [Operand]) {
        self.op = op
        self.operands = operands
    }
}

/// A predicate on one property: all tests must hold.
public struct PropertyTest: Hashable, Sendable {
    /// The property's name as written: looked up as it stands, then split at every dot as a path.
    public var name: String
    /// Not empty; every operator at most once.
    public var tests: [PredicateTest]

    /// A predicate from its parts.
    public init(name: String, tests: [PredicateTest]) {
        self.name = name
        self.tests = tests
    }
}
