import Basics
import Cohorts
import Events

/// The conditions on current values of user properties, by the property they look at.
///
/// Twenty cohorts by `tier` are twenty comparisons of one value. What a value makes of all the conditions on its
/// property is worked out when it is first met, and kept for the next user who has it: a user then costs one look-up
/// for each property, however many conditions there are on it. Where a condition looks at several properties, what
/// each makes of it is joined.
struct PropertyConditions {
    /// One property.
    private struct Subject: BitwiseCopyable {
        /// Places in ``masks``.
        var masks: Stretch
        /// Places in ``tests``.
        var tests: Stretch
        /// Its first word in ``cache``, and how many words a line of it has.
        var cache: Int
        var lineWords: Int
        /// A power of two; one line more is for values that are not kept.
        var lines: Int
    }

    /// Conditions of one word that look at a property.
    private struct Mask: BitwiseCopyable {
        var word: Int
        var bits: UInt64
    }

    /// What one of the conditions wants of the value.
    private struct Test {
        /// Which of the subject's words has the bit.
        var word: Int
        var bit: UInt64
        var test: CompiledPropertyTest
    }

    private let subjects: [Subject]
    private let masks: [Mask]
    private let tests: [Test]
    private let lookUps: [PropertyLookUp]
    /// Lines of each subject: `[ hash ][ bytes + 1 ][ the value's bytes ][ bits by word of the subject ]`.
    private let cache: WordBuffer

    /// Words of bits in which the conditions stand, which are neighbours.
    let words: Range<Int>
    /// Bits of the conditions, by word.
    let all: [UInt64]

    private static let valueWords = 6
    private static let headWords = 2 + valueWords
    /// Lines for each test of a property.
    private static let linesPerTest = 8
    private static let linesMax = 1024

    /// - `words`: Words in a row of bits of conditions.
    init(plan: Plan, words count: Int, names: inout PropertyNames) {
        var byName: [String: [(condition: Int, test: CompiledPropertyTest)]] = [:]
        var all = BitRows(rows: 1, words: count)
        for (index, condition) in plan.conditions.enumerated() {
            guard case .properties(let tests) = condition else { continue }
            all.set(0, index)
            for test in tests { byName[test.name, default: []].append((index, test.test)) }
        }
        var subjects: [Subject] = []
        var masks: [Mask] = []
        var tests: [Test] = []
        var lookUps: [PropertyLookUp] = []
        var cacheWords = 0
        for (name, wanted) in byName.sorted(by: { $0.key.precedesByBytes($1.key) }) {
            let firstMask = masks.count
            let firstTest = tests.count
            for (condition, test) in wanted {
                if masks.count == firstMask || masks[masks.count - 1].word != condition / 64 {
                    masks.append(Mask(word: condition / 64, bits: 0))
                }
                let bit: UInt64 = 1 << UInt64(condition % 64)
                masks[masks.count - 1].bits |= bit
                tests.append(Test(word: masks.count - 1 - firstMask, bit: bit, test: test))
            }
            let lineWords = Self.headWords + masks.count - firstMask
            var lines = 1
            while lines < min(wanted.count * Self.linesPerTest, Self.linesMax) { lines *= 2 }
            subjects.append(
                Subject(
                    masks: Stretch(firstMask, masks.count),
                    tests: Stretch(firstTest, tests.count),
                    cache: cacheWords,
                    lineWords: lineWords,
                    lines: lines
                )
            )
            lookUps.append(PropertyLookUp(name, names: &names))
            cacheWords += (lines + 1) * lineWords
        }
        self.subjects = subjects
        self.masks = masks
        self.tests = tests
        self.lookUps = lookUps
        self.all = all.bits
        cache = WordBuffer(count: cacheWords)
        let used = self.all.indices.filter { all.bits[$0] != 0 }
        words = (used.first ?? 0)..<(used.last.map { $0 + 1 } ?? 0)
    }

    /// Works out the conditions that are asked for.
    ///
    /// - `asked`: Words of bits of conditions, of which those in ``all`` are answered.
    /// - `truth`: Receives the words of ``words``, of which only bits that were asked for mean anything.
    func evaluate(
        _ row: SlabRow,
        at tick: EventTime,
        in lists: borrowing PropertyLists,
        asked: UnsafeMutablePointer<UInt64>,
        truth: UnsafeMutablePointer<UInt64>
    ) {
        for word in words { truth[word] = ~0 }
        // Lent, since copies would count the references inside.
        masks.withUnsafeBufferPointer { masks in
            for index in subjects.indices {
                let subject = subjects[index]
                let places = subject.masks.range
                var isAsked = false
                for place in places where asked[masks[place].word] & masks[place].bits != 0 {
                    isAsked = true
                }
                if !isAsked { continue }
                let value = lookUps.withUnsafeBufferPointer {
                    $0[index].value(row, at: tick, in: lists)
                }
                let line = line(of: value.bytes, subject)
                for place in places {
                    let found = line[Self.headWords + place - places.lowerBound]
                    truth[masks[place].word] &= found | ~masks[place].bits
                }
            }
        }
    }

    /// What a value makes of the conditions on its property.
    @inline(__always)
    private func line(of value: ByteView, _ subject: Subject) -> UnsafeMutablePointer<UInt64> {
        let start = cache.start + subject.cache
        if value.count > Self.valueWords * 8 {
            let line = start + subject.lines * subject.lineWords
            workOut(value, subject, into: line)
            return line
        }
        let hash = Hashing.hash64(value)
        let line = start + (Int(truncatingIfNeeded: hash) & (subject.lines - 1)) * subject.lineWords
        let known = UnsafeRawPointer(line + 2).assumingMemoryBound(to: UInt8.self)
        if line[0] == hash, line[1] == UInt64(value.count + 1),
            ByteView(base: known, count: value.count).equals(value)
        {
            return line
        }
        line[0] = hash
        line[1] = UInt64(value.count + 1)
        UnsafeMutableRawPointer(line + 2).copyMemory(from: value.base, byteCount: value.count)
        workOut(value, subject, into: line)
        return line
    }

    @inline(never)
    private func workOut(
        _ value: ByteView,
        _ subject: Subject,
        into line: UnsafeMutablePointer<UInt64>
    ) {
        let found = line + Self.headWords
        for word in 0..<(subject.lineWords - Self.headWords) { found[word] = ~0 }
        for index in subject.tests.range where !tests[index].test.matches(ValueView(value)) {
            found[tests[index].word] &= ~tests[index].bit
        }
    }
}
