import Basics
import Cohorts
import Events

/// A user property by its name in the language, with numbers: where its value is looked for, and in which order.
struct PropertyLookUp {
    /// Stands for no number of a name.
    private static let none = UInt32.max

    /// The name as it stands.
    private let whole: UInt32
    /// The first part of a dotted name; ``none`` where the name has no dot.
    private let first: UInt32
    /// The path inside the value of that.
    private let rest: [[UInt8]]
    /// The name among those sent at the top level; ``none`` where it is none of them.
    private let sent: UInt32

    init(_ name: String, names: inout PropertyNames) {
        let bytes = Array(name.utf8)
        let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        whole = bytes.withByteView { names.number(of: $0) }
        first = parts.count < 2 ? Self.none : Array(parts[0]).withByteView { names.number(of: $0) }
        rest = parts.dropFirst().map { Array($0) }
        sent = bytes.withByteView { names.sentNumber(of: $0) } ?? Self.none
    }

    /// The numbers of the names whose assignments decide the value.
    var names: [UInt32] { [whole, first, sent].filter { $0 != Self.none } }

    /// The value in force at an instant; missing where there is none.
    func value(
        _ row: SlabRow,
        at instant: EventTime,
        in lists: borrowing PropertyLists
    ) -> ValueView {
        let asItStands = lists.value(row, name: whole, at: instant)
        if !asItStands.isMissingOrNull { return asItStands }
        if first != Self.none {
            var inner = lists.value(row, name: first, at: instant)
            for part in rest { inner = part.withByteView { inner.member($0) } }
            if !inner.isMissingOrNull { return inner }
        }
        if sent != Self.none { return lists.value(row, name: sent, at: instant) }
        return .missing
    }
}

/// A predicate on a user property with its names numbered.
struct NumberedPropertyCondition {
    let lookUp: PropertyLookUp
    /// What must hold of the value.
    let test: CompiledPropertyTest

    init(_ condition: PropertyCondition, names: inout PropertyNames) {
        lookUp = PropertyLookUp(condition.name, names: &names)
        test = condition.test
    }

    /// The numbers of the names whose assignments decide it.
    var names: [UInt32] { lookUp.names }

    /// Whether it holds at an instant.
    func holds(_ row: SlabRow, at instant: EventTime, in lists: borrowing PropertyLists) -> Bool {
        test.matches(lookUp.value(row, at: instant, in: lists))
    }
}
