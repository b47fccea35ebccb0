import Configuration
import Glibc
import YAML

/// A pattern that texts are searched for, compiled once.
///
/// POSIX extended expressions of glibc, which are matched in one pass over the text, so that no pattern and no
/// text of a partner can hold a thread up. The language is the part that other kinds of expressions share:
/// ```
/// .  ^  $  |  ( )  [ ] [^ ]  * + ? {n} {n,} {n,m}  \d \w \s (also in [ ]), \D \W \S, \ before punctuation
/// ```
/// It works on bytes: `.` and `[^…]` stand for one byte of a character beyond ASCII.
final class BytePattern: @unchecked Sendable {
    // Never changed once compiled: regexec takes it as constant, and glibc guards its caches with a lock of
    // its own.
    private let compiled: UnsafeMutablePointer<regex_t>
    /// As written.
    let source: String

    /// Compiles a pattern.
    ///
    /// - Throws: What is wrong with it.
    init(_ source: String) throws(Refusal) {
        self.source = source
        var translator = PatternTranslator(source)
        let translated = try translator.translate()
        let pattern = UnsafeMutablePointer<regex_t>.allocate(capacity: 1)
        pattern.initialize(to: regex_t())
        compiled = pattern
        let status = regcomp(pattern, translated, REG_EXTENDED | REG_NOSUB)
        guard status == 0 else {
            var text = [CChar](repeating: 0, count: 128)
            _ = regerror(status, pattern, &text, text.count)
            let end = text.firstIndex(of: 0) ?? text.count
            let reason = String(decoding: text[..<end].map { UInt8(bitPattern: $0) }, as: UTF8.self)
            throw Refusal(.badValue, "\"\(source.excerpt)\" is no pattern (\(reason))")
        }
    }

    deinit {
        regfree(compiled)
        compiled.deallocate()
    }

    /// Whether some part of the bytes matches.
    ///
    /// - Complexity: O(bytes) for a given pattern.
    func matches(_ bytes: UnsafeRawBufferPointer) -> Bool {
        // Not every offset fits the type of C, but no text here is that long.
        guard bytes.count <= Int(Int32.max) else { return false }
        let base = bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
        var range = regmatch_t(rm_so: 0, rm_eo: regoff_t(bytes.count))
        if let base { return regexec(compiled, base, 1, &range, REG_STARTEND) == 0 }
        return regexec(compiled, "", 0, nil, 0) == 0
    }

    /// Whether some part of the text matches.
    func matches(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { matches(UnsafeRawBufferPointer($0)) }
    }
}

/// Rewrites the classes `\d`, `\w`, `\s` for POSIX and refuses what POSIX understands otherwise.
private struct PatternTranslator {
    private static let repetitionMax = 1024
    /// Repetitions are written out when compiled, nested ones many times over.
    private static let stateCountMax = 8192
    private static let byteCountMax = 512

    private let source: String
    private let bytes: [UInt8]
    private var position = 0
    private var output: [UInt8] = []
    /// How many states the pattern and each open group have so far.
    private var stateCounts = [0]
    /// How many the last atom has, which a repetition multiplies.
    private var atomStateCount = 0

    init(_ source: String) {
        self.source = source
        bytes = Array(source.utf8)
    }

    mutating func translate() throws(Refusal) -> String {
        guard bytes.count <= Self.byteCountMax else {
            throw refusal("it has more than \(Self.byteCountMax) bytes")
        }
        guard !bytes.contains(0) else { throw refusal("it holds a zero byte") }
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "\\"):
                try escape()
                count(states: 1)
            case UInt8(ascii: "["):
                try characterClass()
                count(states: 1)
            case UInt8(ascii: "("):
                if position < bytes.count, bytes[position] == UInt8(ascii: "?") {
                    throw refusal("\"(?\" is not known; parentheses only group")
                }
                output.append(byte)
                stateCounts.append(0)
            case UInt8(ascii: ")"):
                guard stateCounts.count > 1, let states = stateCounts.popLast() else {
                    throw refusal("\")\" without its \"(\"; write \\) for the bracket itself")
                }
                output.append(byte)
                count(states: states)
            case UInt8(ascii: "{"): try repetition()
            case UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "?"):
                output.append(byte)
                try refuseSecondRepetition()
            default:
                output.append(byte)
                count(states: 1)
            }
            guard stateCounts.allSatisfy({ $0 <= Self.stateCountMax }) else {
                throw refusal("its repetitions are too large together")
            }
        }
        guard stateCounts.count == 1 else { throw refusal("\"(\" without its \")\"") }
        return String(decoding: output, as: UTF8.self)
    }

    private mutating func count(states: Int) {
        atomStateCount = states
        stateCounts[stateCounts.count - 1] += states
    }

    private mutating func refuseSecondRepetition() throws(Refusal) {
        guard position < bytes.count else { return }
        switch bytes[position] {
        case UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "?"), UInt8(ascii: "{"):
            throw refusal("one repetition follows another; all take as much as they can")
        default: return
        }
    }

    private mutating func repetition() throws(Refusal) {
        let rest = bytes[position...]
        guard let end = rest.firstIndex(of: UInt8(ascii: "}")) else {
            throw refusal("\"{\" without its \"}\"; write \\{ for the brace itself")
        }
        let text = String(decoding: rest[..<end], as: UTF8.self)
        let bounds = text.split(separator: ",", omittingEmptySubsequences: false)
        let first = bounds.first.flatMap { Int($0) }
        let second = bounds.count == 2 && !bounds[1].isEmpty ? Int(bounds[1]) : first
        guard (1...2).contains(bounds.count), let first, let second, first >= 0, first <= second,
            second <= Self.repetitionMax
        else {
            throw refusal("\"{\(text)}\" is no repetition up to \(Self.repetitionMax)")
        }
        output.append(UInt8(ascii: "{"))
        output.append(contentsOf: bytes[position...end])
        position = end + 1
        stateCounts[stateCounts.count - 1] += atomStateCount * second
        try refuseSecondRepetition()
    }

    private mutating func characterClass() throws(Refusal) {
        output.append(UInt8(ascii: "["))
        if position < bytes.count, bytes[position] == UInt8(ascii: "^") {
            output.append(UInt8(ascii: "^"))
            position += 1
        }
        // POSIX takes `]` for itself only in front, `-` only at the end, and no escapes at all.
        var members: [UInt8] = []
        var hasBracket = false
        var hasDash = false
        while position < bytes.count, bytes[position] != UInt8(ascii: "]") {
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "["):
                throw refusal("\"[\" in a class; write \\[ for the bracket itself")
            case UInt8(ascii: "\\"):
                guard position < bytes.count else { throw refusal("it ends with \"\\\"") }
                let escaped = bytes[position]
                position += 1
                switch escaped {
                case UInt8(ascii: "d"): members += Array("0-9".utf8)
                case UInt8(ascii: "w"): members += Array("A-Za-z0-9_".utf8)
                case UInt8(ascii: "s"): members += Array("[:space:]".utf8)
                case UInt8(ascii: "]"): hasBracket = true
                case UInt8(ascii: "-"): hasDash = true
                case UInt8(ascii: "["): members += Array("[.[.]".utf8)
                case UInt8(ascii: "^"): members += Array("[.^.]".utf8)
                case UInt8(ascii: "\\"), UInt8(ascii: "."), UInt8(ascii: "/"):
                    members.append(escaped)
                default: throw unknownEscape(escaped)
                }
            case UInt8(ascii: "-") where members.isEmpty || bytes[position...].first == 0x5d:
                hasDash = true
            default: members.append(byte)
            }
        }
        guard position < bytes.count else { throw refusal("\"[\" without its \"]\"") }
        position += 1
        if hasBracket { output.append(UInt8(ascii: "]")) }
        output += members
        if hasDash { output.append(UInt8(ascii: "-")) }
        output.append(UInt8(ascii: "]"))
    }

    private mutating func escape() throws(Refusal) {
        guard position < bytes.count else { throw refusal("it ends with \"\\\"") }
        let byte = bytes[position]
        position += 1
        switch byte {
        case UInt8(ascii: "d"): output += Array("[0-9]".utf8)
        case UInt8(ascii: "D"): output += Array("[^0-9]".utf8)
        case UInt8(ascii: "w"): output += Array("[A-Za-z0-9_]".utf8)
        case UInt8(ascii: "W"): output += Array("[^A-Za-z0-9_]".utf8)
        case UInt8(ascii: "s"): output += Array("[[:space:]]".utf8)
        case UInt8(ascii: "S"): output += Array("[^[:space:]]".utf8)
        case 0x21...0x2f, 0x3a...0x40, 0x5b...0x60, 0x7b...0x7e:
            // A class of one: glibc gives some escaped punctuation a meaning (\< and \').
            if byte == UInt8(ascii: "^") || byte == UInt8(ascii: "\\") {
                output += [UInt8(ascii: "\\"), byte]
            } else {
                output += [UInt8(ascii: "["), byte, UInt8(ascii: "]")]
            }
        default: throw unknownEscape(byte)
        }
    }

    private func unknownEscape(_ byte: UInt8) -> Refusal {
        refusal("\"\\\(String(decoding: [byte], as: UTF8.self))\" is not known")
    }

    private func refusal(_ reason: String) -> Refusal {
        Refusal(.badValue, "\"\(source.excerpt)\" is no pattern (\(reason))")
    }
}
