import Basics
import Cohorts
import Events

/// Which traces an event belongs to: the plan's routes and filters laid out flat, so that finding out neither
/// allocates nor counts references.
///
/// Of many cohorts most filters ask for one property, and that it be this text or that. So the texts that a type's
/// traces ask a property for are looked up at once: an event costs a look-up, however many traces ask.
struct TraceFilters {
    /// A property that tests ask for.
    private struct Asked: BitwiseCopyable, Hashable, Comparable {
        /// Whether it is what the event carries of the user's properties, else the event's own.
        var isOfUser: Bool
        var property: Int

        static func < (left: Asked, right: Asked) -> Bool {
            left.isOfUser != right.isOfUser ? right.isOfUser : left.property < right.property
        }
    }

    private struct Test {
        var asked: Asked
        var test: CompiledPropertyTest
    }

    /// The traces of a type that want one of some texts of the same property, and nothing else.
    private struct Choice: BitwiseCopyable {
        var asked: Asked
        /// Places in ``traces`` of all of them, one time each.
        var traces: Stretch
        /// Places in ``answers``.
        var answers: Stretch
    }

    /// The traces of a choice that a text decides for.
    private struct Answer: BitwiseCopyable {
        /// The text's number.
        var text: Int
        /// Places in ``traces``.
        var traces: Stretch
    }

    /// Of each type, by its number: places in ``traces`` of those that are in no choice.
    private let others: [Stretch]
    /// The same of its places in ``choices``.
    private let choiceRanges: [Stretch]
    private let choices: [Choice]
    /// Of each choice, by the text's number.
    private let answers: [Answer]
    private let texts: ByteKeyTable
    private let traces: [Int]
    /// Where the tests of each trace stand in ``tests``.
    private let testRanges: [Stretch]
    private let tests: [Test]
    /// How far back each trace is looked at, in milliseconds.
    private let horizons: [Int64]

    init(plan: Plan, types: EventTypes) {
        var testRanges: [Stretch] = []
        var tests: [Test] = []
        for trace in plan.traces {
            let ofEvent = trace.whereEvent.map {
                Test(asked: Asked(isOfUser: false, property: $0.property), test: $0.test)
            }
            let ofUser = trace.whereUser.map {
                Test(asked: Asked(isOfUser: true, property: $0.property), test: $0.test)
            }
            testRanges.append(tests.appendStretch(ofEvent + ofUser))
        }
        // Of traces that ask for texts and nothing else: which, and of which property.
        var asked = [Asked?](repeating: nil, count: plan.traces.count)
        var wanted = [Set<Int>](repeating: [], count: plan.traces.count)
        var texts = ByteKeyTable()
        for (trace, stretch) in testRanges.enumerated() where stretch.range.count == 1 {
            let test = tests[stretch.range.lowerBound]
            guard let those = test.test.texts else { continue }
            asked[trace] = test.asked
            for text in those {
                wanted[trace].insert(
                    text.withByteView { (bytes: ByteView) -> Int in texts.insert(bytes) }
                )
            }
        }
        var others: [Stretch] = []
        var choiceRanges: [Stretch] = []
        var choices: [Choice] = []
        var answers: [Answer] = []
        var traces: [Int] = []
        for type in 0..<types.count {
            let route =
                types.name(type)?.withByteView { plan.routes.route(of: $0) } ?? plan.routes.count
                - 1
            let all = plan.routes.traces(of: route)
            let firstChoice = choices.count
            var chosen: [Asked: [Int]] = [:]
            for trace in all {
                if let asked = asked[trace] { chosen[asked, default: []].append(trace) }
            }
            for asked in chosen.keys.sorted() {
                let asking = chosen[asked, default: []]
                var byText: [Int: [Int]] = [:]
                for trace in asking {
                    for text in wanted[trace] { byText[text, default: []].append(trace) }
                }
                let found = byText.sorted { $0.key < $1.key }.map {
                    Answer(text: $0.key, traces: traces.appendStretch($0.value))
                }
                choices.append(
                    Choice(
                        asked: asked,
                        traces: traces.appendStretch(asking),
                        answers: answers.appendStretch(found)
                    )
                )
            }
            choiceRanges.append(Stretch(firstChoice, choices.count))
            others.append(traces.appendStretch(all.filter { asked[$0] == nil }))
        }
        self.others = others
        self.choiceRanges = choiceRanges
        self.choices = choices
        self.answers = answers
        self.texts = texts
        self.traces = traces
        self.testRanges = testRanges
        self.tests = tests
        horizons = plan.traces.map(\.horizon)
    }

    /// How far back a trace is looked at, in milliseconds.
    func horizon(_ trace: Int) -> Int64 { horizons[trace] }

    /// Appends the traces that the event belongs to, whose type has that number.
    func appendTraces(
        of event: borrowing EventView,
        type: Int,
        to found: inout RecordTable<Int>
    ) {
        for place in others[type].range where matches(event, trace: traces[place]) {
            found.append(traces[place])
        }
        for place in choiceRanges[type].range {
            let choice = choices[place]
            let value = Self.value(choice.asked, of: event)
            if let text = value.text {
                guard let number = texts.find(text) else { continue }
                for place in answer(number, of: choice).range { found.append(traces[place]) }
            } else if value.kind == .array {
                // Of which one element decides.
                for place in choice.traces.range where matches(event, trace: traces[place]) {
                    found.append(traces[place])
                }
            }
        }
    }

    /// Where the traces are that a text decides for.
    private func answer(_ text: Int, of choice: Choice) -> Stretch {
        var (low, high) = (choice.answers.range.lowerBound, choice.answers.range.upperBound)
        while low < high {
            let middle = (low + high) / 2
            let answer = answers[middle]
            if answer.text == text { return answer.traces }
            if answer.text < text { low = middle + 1 } else { high = middle }
        }
        return .empty
    }

    /// Whether the event passes the filter of a trace of its type.
    private func matches(_ event: borrowing EventView, trace: Int) -> Bool {
        for index in testRanges[trace].range {
            let value = Self.value(tests[index].asked, of: event)
            if !tests[index].test.matches(value) { return false }
        }
        return true
    }

    @inline(__always)
    private static func value(_ asked: Asked, of event: borrowing EventView) -> ValueView {
        asked.isOfUser
            ? event.userProperties[asked.property] : event.eventProperties[asked.property]
    }
}
