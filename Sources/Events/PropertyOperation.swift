import Basics

/// The operations on properties that read what they change.
///
/// Source: docs/cohorts.md, "Current property values".
public enum PropertyOperation {
    /// What came of an operation.
    public enum Outcome: Sendable {
        /// There is a new value.
        case written
        /// Nothing is assigned: `$remove` of a missing property.
        case unchanged
        /// It cannot be done; to be counted.
        case ignored
    }

    /// The most bytes, encoded, that an operation may make a list grow to; one that an event set may be longer.
    ///
    /// Each operation reads and writes the whole list, so one user of whom millions of events come would else cost ever
    /// more time, and memory without end.
    public static let grownBytesMax = 1 << 16

    /// What the operation makes of the current value.
    ///
    /// - Parameters:
    ///   - operation: One of `.add .append .prepend .preInsert .postInsert .remove`.
    ///   - current: What decides now; missing or null = the property is not there.
    ///   - operand: As the event gave it.
    ///   - result: Holds the new value, encoded, and nothing else where the outcome is `.written`; else it is
    ///     empty. It keeps its memory from call to call and must not be what the views lie in.
    /// - Returns: Whether there is a new value, nothing to assign, or something to count.
    /// - Complexity: O(bytes of both), and a set of the elements where they must be told apart.
    public static func apply(
        _ operation: Assignment.Operation,
        current: ValueView,
        operand: ValueView,
        into result: inout [UInt8]
    ) -> Outcome {
        result.removeAll(keepingCapacity: true)
        guard !operand.isMissing else { return .ignored }
        let isWritten: Bool
        switch operation {
        case .add:
            isWritten = add(operand, to: current, into: &result)
        case .append:
            isWritten = ValueEncoding.append(list(current), elements(operand), to: &result)
        case .prepend:
            isWritten = ValueEncoding.append(elements(operand), list(current), to: &result)
        case .preInsert:
            let list = list(current)
            isWritten = ValueEncoding.append(fresh(operand, beside: list), list, to: &result)
        case .postInsert:
            let list = list(current)
            isWritten = ValueEncoding.append(list, fresh(operand, beside: list), to: &result)
        case .remove:
            guard !current.isMissingOrNull else { return .unchanged }
            let removed = Set(elements(operand).map(Element.init))
            let kept = list(current).filter { !removed.contains(Element($0)) }
            isWritten = ValueEncoding.append(kept, to: &result)
        case .set, .sent, .setOnce, .unset, .clearAll:
            preconditionFailure("\(operation) does not read what it changes")
        }
        let before = current.isMissingOrNull ? 0 : current.bytes.count
        if isWritten, operation != .add, result.count > max(before, grownBytesMax) {
            result.removeAll(keepingCapacity: true)
            return .ignored
        }
        return isWritten ? .written : .ignored
    }

    /// The sum: of integers exact, else, or where that overflows, that of the doubles.
    private static func add(
        _ operand: ValueView,
        to current: ValueView,
        into result: inout [UInt8]
    ) -> Bool {
        let start = current.isMissingOrNull ? NumericValue.integer(0) : NumericValue(current)
        guard let start, let operand = NumericValue(operand) else { return false }
        if case .integer(let left) = start, case .integer(let right) = operand {
            let (sum, overflow) = left.addingReportingOverflow(right)
            if !overflow {
                ValueEncoding.append(sum, to: &result)
                return true
            }
        }
        let sum = start.double + operand.double
        guard sum.isFinite else { return false }
        ValueEncoding.append(sum, to: &result)
        return true
    }

    /// The value as a list: nothing is an empty one, and what is no list becomes a list of one.
    private static func list(_ current: ValueView) -> [ValueView] {
        current.isMissingOrNull ? [] : elements(current)
    }

    /// The elements of a list; anything else, null too, is itself the one element.
    private static func elements(_ value: ValueView) -> [ValueView] {
        value.kind == .array ? Array(value.elements) : [value]
    }

    /// The elements of the operand that are neither in the list nor in front among themselves.
    private static func fresh(_ operand: ValueView, beside list: [ValueView]) -> [ValueView] {
        var seen = Set(list.map(Element.init))
        return elements(operand).filter { seen.insert(Element($0)).inserted }
    }

    /// An element of a list as what it is told apart by, see ``ValueView/isSame(as:)``.
    private struct Element: Hashable {
        let value: ValueView

        init(_ value: ValueView) {
            self.value = value
        }

        static func == (left: Element, right: Element) -> Bool {
            left.value.isSame(as: right.value)
        }

        func hash(into hasher: inout Hasher) {
            let isScalar: Void? = CanonicalText.withBytes(of: value) {
                hasher.combine(bytes: $0.buffer)
            }
            if isScalar == nil { hasher.combine(bytes: value.bytes.buffer) }
        }
    }
}

extension NumericValue {
    /// The nearest double.
    fileprivate var double: Double {
        switch self {
        case .integer(let integer): Double(integer)
        case .double(let double): double
        }
    }
}
