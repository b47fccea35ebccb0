import Basics

/// What `gt gte lt lte between` compare with: a number or an instant, and never one with the other.
enum OrderBound: Sendable {
    case number(NumericValue)
    case instant(EventTime)

    /// The bound an operand stands for; nil for a boolean, and for text that is neither number nor date.
    init?(_ operand: Operand) {
        if let number = NumericValue(operand) {
            self = .number(number)
        } else if case .text(let text) = operand,
            let instant = text.withByteView({ Self.instant(of: $0) })
        {
            self = .instant(instant)
        } else {
            return nil
        }
    }

    /// Negative, zero or positive as the value is less than, equal to or greater than the bound; nil where
    /// the value is not of the bound's kind.
    func order(of value: ValueView) -> Int? {
        switch self {
        case .number(let bound):
            return NumericValue(value)?.order(to: bound)
        case .instant(let bound):
            guard let text = value.text, let instant = Self.instant(of: text) else { return nil }
            return instant < bound ? -1 : instant > bound ? 1 : 0
        }
    }

    /// `YYYY-MM-DD`, which is 00:00 UTC, or RFC 3339 with its zone, cut to milliseconds.
    private static func instant(of text: ByteView) -> EventTime? {
        EventTime(dateOnly: text.buffer) ?? EventTime(rfc3339: text.buffer)
    }
}
