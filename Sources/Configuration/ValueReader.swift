import Basics
package import YAML

/// Turns a node into a value, or says why it cannot.
package struct ValueReader<Value> {
    /// Reads a node.
    package var read: (Node) throws(Refusal) -> Value

    /// A reader from what it does.
    package init(_ read: @escaping (Node) throws(Refusal) -> Value) {
        self.read = read
    }

    /// A reader that goes on with what this one read.
    package func map<Other>(
        _ transform: @escaping (Value) throws(Refusal) -> Other
    ) -> ValueReader<Other> {
        let read = read
        return ValueReader<Other> { node throws(Refusal) in try transform(try read(node)) }
    }
}

extension Node {
    /// What it is, for messages.
    package var kind: String {
        switch value {
        case .null: "nothing"
        case .boolean: "the boolean \(source)"
        case .integer, .double: "the number \(source)"
        case .text(let text): "\"\(text)\""
        case .sequence: "a list"
        case .mapping: "a map"
        }
    }

    /// Its text; of an override also what looks like a number or a boolean, for nobody can quote there.
    package var textValue: String? {
        switch value {
        case .text(let text): text
        case .boolean, .integer, .double: Override.index(of: mark) == nil ? nil : source
        default: nil
        }
    }
}

extension ValueReader where Value == String {
    /// A text that is not empty.
    package static func text(_ expected: String) -> ValueReader<String> {
        ValueReader { node throws(Refusal) in
            guard let text = node.textValue else {
                switch node.value {
                case .boolean, .integer, .double:
                    throw Refusal(.badType, "expected \(expected), not \(node.kind): quote it")
                default: throw Refusal(.badType, "expected \(expected), not \(node.kind)")
                }
            }
            guard !text.isEmpty else {
                throw Refusal(.badValue, "expected \(expected), not an empty text")
            }
            guard !text.utf8.contains(0) else {
                throw Refusal(.badValue, "expected \(expected), not a text with a zero byte")
            }
            return text
        }
    }

    /// A text or nothing at all: `""`.
    package static var anyText: ValueReader<String> {
        ValueReader { node throws(Refusal) in
            guard let text = node.textValue else {
                throw Refusal(.badType, "expected a text, not \(node.kind)")
            }
            return text
        }
    }

    /// `[a-z0-9][a-z0-9_-]{0,63}`, the rule of all ids.
    package static var identifier: ValueReader<String> {
        text("an id").map { text throws(Refusal) in
            guard Identifier.isValid(text) else {
                throw Refusal(
                    .badValue,
                    "\"\(text)\" is no id (expected \(Identifier.grammar))"
                )
            }
            return text
        }
    }

    /// A topic after Kafka's rule for names.
    static var topic: ValueReader<String> {
        text("the name of a topic").map { text throws(Refusal) in
            let isValid =
                text.utf8.count <= 249 && text != "." && text != ".."
                && text.unicodeScalars.allSatisfy {
                    $0.isASCII
                        && ($0.properties.isAlphabetic || ("0"..."9").contains($0)
                            || $0 == "." || $0 == "_" || $0 == "-")
                }
            guard isValid else {
                throw Refusal(
                    .badValue,
                    "\"\(text)\" is no topic (expected up to 249 of a-z A-Z 0-9 . _ -)"
                )
            }
            return text
        }
    }

    /// A name of the zone database; whether it is there, the caller knows.
    static func timezone(exists: @escaping (String) -> Bool) -> ValueReader<String> {
        text("an IANA zone such as Europe/Berlin").map { text throws(Refusal) in
            let isName =
                !text.hasPrefix("/")
                && text.split(separator: "/", omittingEmptySubsequences: false).allSatisfy {
                    !$0.isEmpty && !$0.hasPrefix(".")
                        && $0.unicodeScalars.allSatisfy {
                            $0.isASCII
                                && ($0.properties.isAlphabetic || ("0"..."9").contains($0)
                                    || $0 == "_" || $0 == "-" || $0 == "+")
                        }
                }
            guard isName, exists(text) else {
                throw Refusal(
                    .badValue,
                    "\"\(text)\" is no known zone (expected one such as Europe/Berlin)"
                )
            }
            return text
        }
    }
}

extension ValueReader where Value == Bool {
    /// `true` or `false`.
    package static var flag: ValueReader<Bool> {
        ValueReader { node throws(Refusal) in
            guard case .boolean(let flag) = node.value else {
                throw Refusal(.badType, "expected true or false, not \(node.kind)")
            }
            return flag
        }
    }
}

extension ValueReader where Value == Int {
    /// An integer in a range.
    package static func integer(_ range: ClosedRange<Int>) -> ValueReader<Int> {
        ValueReader { node throws(Refusal) in
            let bounds = "\(range.lowerBound) … \(range.upperBound)"
            switch node.value {
            case .integer(let number):
                guard range.contains(Int(number)) else {
                    throw Refusal(.outOfRange, "\(node.source) is not in \(bounds)")
                }
                return Int(number)
            case .double:
                throw Refusal(.badType, "expected an integer in \(bounds), not \(node.source)")
            default: throw Refusal(.badType, "expected an integer in \(bounds), not \(node.kind)")
            }
        }
    }

    /// A size in a range, in bytes.
    package static func size(_ range: ClosedRange<Int>) -> ValueReader<Int> {
        ValueReader { node throws(Refusal) in
            let text: String
            switch node.value {
            case .text(let written): text = written
            case .integer(0): text = "0"
            case .integer(let number):
                throw Refusal(
                    .badType,
                    "\(node.source) has no unit: write \(number)B, or KiB, MiB, GiB, TiB"
                )
            default: throw Refusal(.badType, "expected a size such as 64MiB, not \(node.kind)")
            }
            guard let bytes = SizeText.bytes(text) else {
                throw Refusal(
                    .badValue,
                    "\"\(text)\" is no size (expected an integer and B, KiB, MiB, GiB or TiB, such as 64MiB)"
                )
            }
            guard range.contains(Int(bytes)) else {
                let low = SizeText.text(bytes: Int64(range.lowerBound))
                let high = SizeText.text(bytes: Int64(range.upperBound))
                throw Refusal(.outOfRange, "\(text) is not in \(low) … \(high)")
            }
            return Int(bytes)
        }
    }
}

extension ValueReader where Value == Int64 {
    /// A duration in a range, in milliseconds.
    package static func duration(_ range: ClosedRange<Int64>) -> ValueReader<Int64> {
        ValueReader { node throws(Refusal) in
            let text: String
            switch node.value {
            case .text(let written): text = written
            case .integer:
                throw Refusal(
                    .badType,
                    "\(node.source) has no unit: write \(node.source)s, or ms, m, h, d, w"
                )
            default: throw Refusal(.badType, "expected a duration such as 60s, not \(node.kind)")
            }
            guard let milliseconds = DurationText.milliseconds(text) else {
                throw Refusal(
                    .badValue,
                    "\"\(text)\" is no duration (expected an integer and ms, s, m, h, d or w, such as 60s)"
                )
            }
            guard range.contains(milliseconds) else {
                let low = DurationText.text(milliseconds: range.lowerBound)
                let high = DurationText.text(milliseconds: range.upperBound)
                throw Refusal(.outOfRange, "\(text) is not in \(low) … \(high)")
            }
            return milliseconds
        }
    }
}

extension ValueReader where Value == Double {
    /// A number in a range.
    static func number(_ range: ClosedRange<Double>) -> ValueReader<Double> {
        ValueReader { node throws(Refusal) in
            let number: Double
            switch node.value {
            case .integer(let integer): number = Double(integer)
            case .double(let double): number = double
            default:
                throw Refusal(
                    .badType,
                    "expected a number in \(range.lowerBound) … \(range.upperBound), not \(node.kind)"
                )
            }
            guard range.contains(number) else {
                throw Refusal(
                    .outOfRange,
                    "\(node.source) is not in \(range.lowerBound) … \(range.upperBound)"
                )
            }
            return number
        }
    }
}

extension ValueReader where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
    /// One of a closed list of words.
    package static var word: ValueReader<Value> {
        let words = Value.allCases.map(\.rawValue)
        return ValueReader { node throws(Refusal) in
            guard let text = node.textValue else {
                throw Refusal(
                    .badType,
                    "expected one of \(words.joined(separator: ", ")), not \(node.kind)"
                )
            }
            guard let value = Value(rawValue: text) else {
                let hint = Suggestion.nearest(to: text, among: words)
                    .map { "; did you mean \"\($0)\"?" }
                throw Refusal(
                    .badValue,
                    "\"\(text)\" is not known (expected one of \(words.joined(separator: ", "))\(hint ?? ""))"
                )
            }
            return value
        }
    }
}

extension ValueReader where Value == ReferencedText {
    /// A text, or a reference to one.
    static func referenced(_ expected: String) -> ValueReader<ReferencedText> {
        ValueReader<String>.text(expected).map { text throws(Refusal) in
            guard let value = ReferencedText(text) else {
                throw Refusal(
                    .badValue,
                    "\"\(text)\" refers to nothing (expected credential:NAME, file:/PATH or env:NAME)"
                )
            }
            return value
        }
    }
}
